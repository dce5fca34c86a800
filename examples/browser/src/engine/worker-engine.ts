//! The engine in a worker, as the page sees it: one frame is asked for at a time.

import type { Command, Engine, Picture, Settings } from "./protocol.ts";
import type { FromWorker, ToWorker } from "./worker.ts";

export class WorkerEngine implements Engine {
  readonly #worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  #picture: Picture | undefined;
  #asked = false;
  #prints: ((print: string) => void)[] = [];

  /** @param failed - as `LocalEngine`'s. */
  constructor(failed: (message: string) => void) {
    this.#worker.onerror = ({ message }) => failed(message);
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      switch (data.type) {
        case "picture":
          this.#asked = false;
          this.#picture = data.picture ?? this.#picture;
          break;
        case "fingerprint":
          this.#prints.shift()?.(data.print);
          break;
        case "failed":
          failed(data.message);
      }
    };
  }

  send(command: Command): void {
    this.#post({ type: "command", command });
  }

  frame(budgetMs: number): Picture | undefined {
    if (!this.#asked) this.#post({ type: "frame", budgetMs });
    this.#asked = true;
    return this.#picture;
  }

  fingerprint(settings: Settings, virtualMs: number): Promise<string> {
    this.#post({ type: "fingerprint", settings, virtualMs });
    return new Promise((resolve) => this.#prints.push(resolve));
  }

  close(): void {
    this.#worker.terminate();
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }
}
