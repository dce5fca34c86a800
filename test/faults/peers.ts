//! Peers of a guest, as processes of their own. See peer.ts.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { childCommand } from "../support/child.ts";
import type { PeerEvent, PeerPlan } from "./peer-plan.ts";

export class Peer {
  readonly #process: ChildProcess;
  readonly #events: PeerEvent[] = [];
  readonly #ended: Promise<void>;
  #look: () => void = () => {};
  #over = false;
  #stderr = "";

  constructor(plan: PeerPlan) {
    const [command, args] = childCommand("faults/peer.ts", [JSON.stringify(plan)]);
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
    child.stderr!.on("data", (data: Buffer) => {
      this.#stderr += data.toString();
    });
    child.on("message", (event) => {
      this.#events.push(event as PeerEvent);
      this.#look();
    });
    // What it told last may come behind its end.
    this.#ended = Promise.all([once(child, "close"), once(child, "disconnect")]).then(() => {
      this.#over = true;
      this.#look();
    });
    this.#process = child;
  }

  /** Where it listens. */
  async port(): Promise<number> {
    return (await this.#told("listening")).port;
  }

  /** Ends it in mid-transfer as nothing else does: it closes nothing itself. */
  async kill(): Promise<void> {
    await this.#told("middle");
    this.#process.kill("SIGKILL");
    await this.#ended;
  }

  /** Waits until it is through with its plan; returns how many right bytes came to it. */
  async finish(): Promise<number> {
    const { bytes, problems } = await this.#told("over");
    assert.deepEqual(problems, [], "what a peer gets back is what it sent");
    await this.#ended;
    return bytes;
  }

  /** Whatever it does. */
  async end(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#ended;
  }

  async #told<W extends PeerEvent["what"]>(what: W): Promise<PeerEvent & { what: W }> {
    for (;;) {
      const event = this.#events.find((told) => told.what === what);
      if (event !== undefined) return event as PeerEvent & { what: W };
      assert(!this.#over, `a peer ended by itself before "${what}": ${this.#stderr}`);
      await new Promise<void>((resolve) => {
        this.#look = resolve;
      });
    }
  }
}
