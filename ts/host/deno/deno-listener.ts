//! A listening socket on Deno.Listener. Connections wait in the kernel's queue until the first ACCEPT;
//! from then on some are accepted ahead of the ACCEPTs, because one for each turn of the event loop
//! would be too few: a busy loop turns a few times in a second. Deno cannot take an accept back, so after
//! a cancel the connections wait here for the next ACCEPT as well.

import { ERRNO } from "../../abi.gen.ts";
import type { Endpoint } from "../grants.ts";
import { errnoOf } from "../resources/errno.ts";
import { ListenerBase } from "../resources/listener.ts";
import type { Context } from "../resources/resource.ts";
import { SocketOptions } from "../resources/socket-options.ts";
import { endpointOf } from "./deno-address.ts";
import type { DenoListener as Listener } from "./deno-api.ts";
import { DenoConnection, OPTIONS } from "./deno-connection.ts";

/** Connections that wait here rather than in the kernel. */
const AHEAD_MAX = 64;

export class DenoListener extends ListenerBase {
  protected override readonly options = new SocketOptions("tcp", {
    options: OPTIONS,
    set: () => 0,
  });
  readonly #listener: Listener;
  readonly #Accepted: typeof DenoConnection;
  #accepting: Promise<void> | undefined;
  #released = false;
  #keepsAlive = true;

  /** @param Accepted - What its connections become. */
  constructor(context: Context, listener: Listener, Accepted = DenoConnection) {
    super(context);
    this.#Accepted = Accepted;
    this.#listener = listener;
    this.keepAlive(false);
  }

  protected override get local(): Endpoint {
    return endpointOf(this.#listener.addr);
  }

  protected override awaitConnection(): void {
    this.#accepting ??= this.#accept();
  }

  async #accept(): Promise<void> {
    try {
      while (this.queue.length < AHEAD_MAX && !this.#released) {
        this.queue.push(new this.#Accepted(this.context, await this.#listener.accept()));
        if (!this.#released) this.pump();
      }
    } catch (error) {
      const errno = errnoOf(error);
      // A peer that gave up before it was accepted is no failure of the listener.
      if (!this.#released && errno !== ERRNO.ECONNABORTED) this.fail(errno);
    }
    this.#accepting = undefined;
    if (this.#released) this.discardQueue();
    else this.pump();
  }

  protected override release(): number | Promise<number> {
    // Deno keeps the descriptor until the accept has noticed, which has to happen.
    this.keepAlive(true);
    this.#released = true;
    this.#listener.close();
    return this.#accepting === undefined ? 0 : this.#accepting.then(() => 0);
  }

  protected override keepAlive(waiting: boolean): void {
    if (waiting === this.#keepsAlive || this.#released) return;
    this.#keepsAlive = waiting;
    if (waiting) this.#listener.ref();
    else this.#listener.unref();
  }
}
