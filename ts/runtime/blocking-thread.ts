//! Threads for functions that block, where there is node:worker_threads: in Node, Deno and Bun.

import { Worker } from "node:worker_threads";

/** A call: of an export of a module, with arguments that can be cloned. */
export interface BlockingCall {
  readonly module: string;
  readonly name: string;
  readonly args: readonly unknown[];
}

/** What became of it. Of an error a clone keeps neither its name, where that is its own, nor what else it has. */
export type BlockingAnswer =
  | { readonly value: unknown }
  | {
      readonly thrown: unknown;
      readonly name?: string;
      readonly properties?: Readonly<Record<string, unknown>>;
    };

export interface BlockingThreadEvents {
  answer(answer: BlockingAnswer): void;
  /** It has ended, for this reason if there is one: the last event. */
  ended(reason: unknown): void;
}

export interface BlockingThread {
  /** @throws {DOMException} an argument cannot be cloned: then there is no call. */
  call(call: BlockingCall): void;
  /** Whether it keeps the process. */
  hold(holds: boolean): void;
  /** Ends it wherever it is, as soon as it comes back to JavaScript. Resolves once it has ended. */
  kill(): Promise<void>;
}

/** What a thread runs: no file, because a bundle would not have it. Calls come one at a time. */
const PROGRAM = `import("node:worker_threads").then(({ parentPort }) => {
  const cloneable = (value) => {
    try {
      structuredClone(value);
      return true;
    } catch {
      return false;
    }
  };
  const failure = (thrown) => {
    if (!(thrown instanceof Error)) return { thrown: cloneable(thrown) ? thrown : String(thrown) };
    const properties = Object.entries(thrown).filter(([, value]) => cloneable(value));
    const kept = cloneable(thrown) && structuredClone(thrown) instanceof Error;
    const error = kept ? thrown : Object.assign(new Error(thrown.message), { stack: thrown.stack });
    return { thrown: error, name: thrown.name, properties: Object.fromEntries(properties) };
  };
  parentPort.on("message", async ({ module, name, args }) => {
    try {
      const loaded = await import(module);
      const work = loaded[name];
      if (typeof work !== "function") throw new TypeError(module + " exports no function " + name);
      parentPort.postMessage({ value: await work(...args) });
    } catch (thrown) {
      parentPort.postMessage(failure(thrown));
    }
  });
});`;

export function startBlockingThread(events: BlockingThreadEvents): BlockingThread {
  const worker = new Worker(PROGRAM, { eval: true, name: "stackful blocking" });
  let reason: unknown;
  worker.on("message", (answer: BlockingAnswer) => events.answer(answer));
  worker.on("error", (error) => {
    reason = error;
  });
  worker.on("exit", (code) => events.ended(reason ?? `exit code ${code}`));
  return {
    call: (call) => worker.postMessage(call),
    hold: (holds) => (holds ? worker.ref() : worker.unref()),
    kill: async () => void (await worker.terminate()),
  };
}
