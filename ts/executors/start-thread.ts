//! Threads where there is node:worker_threads: in Node, Deno and Bun.

import { availableParallelism } from "node:os";
import {
  isMainThread,
  MessageChannel,
  type MessagePort,
  parentPort,
  Worker,
} from "node:worker_threads";
import { StackfulError } from "../errors.ts";
import { jsRuntime } from "../js-runtime.ts";
import { bundled } from "../package-files.ts";
import type { FromThread, ToThread } from "./messages.ts";

/** A thread, from the side of the one that started it. */
export interface Thread {
  /** @param ports - in the message, and the thread's from now on. */
  send(message: ToThread, ports?: readonly MessagePort[]): void;
  /** Whether it keeps the process, as it does from the start. */
  keep(process: boolean): void;
  /** Ends it wherever it is. Resolves once it has ended. */
  kill(): Promise<void>;
}

export interface ThreadEvents {
  message(message: FromThread): void;
  /** An exception that nobody caught; the thread ends. */
  error(error: unknown): void;
  /** It has ended: the last event. */
  exit(): void;
}

/** The thread's own end. */
export interface ThreadPort {
  send(message: FromThread): void;
  onMessage(listener: (message: ToThread) => void): void;
  close(): void;
}

/** @throws {StackfulError} SF_EXECUTOR where there are none for executors. */
export function requireThreads(): void {
  if (!bundled) return;
  throw new StackfulError("SF_EXECUTOR", "starting executors: this program is a bundle", {
    hint: "leave stackful out of the bundle, or create a Runtime",
  });
}

/** As many as the system gives this process processors. */
export function processors(): number {
  return availableParallelism();
}

/** @param execArgv - flags of the runtime; undefined: this thread's. */
export function startThread(
  name: string,
  events: ThreadEvents,
  execArgv: readonly string[] | undefined,
): Thread {
  const file = import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js";
  const worker = new Worker(new URL(file, import.meta.url), {
    name,
    ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
  });
  worker.on("message", events.message);
  worker.on("error", events.error);
  worker.on("exit", events.exit);
  return {
    send: (message, ports = []) => worker.postMessage(message, [...ports]),
    keep: (process) => {
      if (process) worker.ref();
      else worker.unref();
    },
    kill: async () => void (await worker.terminate()),
  };
}

/** Whether the host tells this thread that nothing is left to do, once the others do not keep the process. */
export function tellsOfIdleness(): boolean {
  return isMainThread && jsRuntime() === "node";
}

/** @throws {StackfulError} SF_IO on a thread that nobody started. */
export function threadPort(): ThreadPort {
  const port = parentPort;
  if (port === null) {
    throw new StackfulError("SF_IO", "serving an executor: this is not a thread of a pool");
  }
  return {
    send: (message) => port.postMessage(message),
    onMessage: (listener) => void port.on("message", listener),
    close: () => {
      // Deno's has none: there the thread ends itself.
      if (typeof port.close === "function") port.close();
      else process.exit();
    },
  };
}

/** For each of `threads` a port to each other one; to itself none. */
export function connectThreads(threads: number): (MessagePort | undefined)[][] {
  const ports = Array.from({ length: threads }, () => new Array<MessagePort | undefined>(threads));
  for (let a = 0; a < threads; a++) {
    for (let b = 0; b < a; b++) {
      const { port1, port2 } = new MessageChannel();
      ports[a]![b] = port1;
      ports[b]![a] = port2;
    }
  }
  return ports;
}
