//! An executor, on its own thread: a runtime that does what the pool says. The thread belongs to its
//! loop, which waits in the kernel where the backend can; a message ends such a wait.

import { Arena } from "../channels/arena.ts";
import { GuestExecutor } from "../channels/guest-executor.ts";
import { StackfulError } from "../errors.ts";
import { adoptHandle, releaseHandle } from "../runtime/adopt.ts";
import { Runtime } from "../runtime/runtime.ts";
import type { RuntimeStats } from "../runtime/stats.ts";
import type { Task } from "../runtime/task.ts";
import { loadImports } from "./imports-module.ts";
import type { Outcome, Question, SpawnRequest, Start, ToThread } from "./messages.ts";
import type { ThreadPort } from "./start-thread.ts";
import { packError } from "./wire-error.ts";

/** Serves the pool through `port` until it says stop. */
export function serveExecutor(port: ThreadPort): void {
  let executor: Executor | undefined;
  port.onMessage((message) => {
    if (message.type === "start") void start(message.start);
    else executor?.take(message);
  });
  const start = async (start: Start): Promise<void> => {
    try {
      const guestExecutor = openGuestExecutor(port, start);
      const runtime = await openRuntime(port, start, guestExecutor);
      executor = new Executor(port, runtime, guestExecutor);
    } catch (error) {
      port.send({ type: "started", outcome: { error: packError(error) } });
      port.close();
      return;
    }
    port.send({ type: "started", outcome: { value: undefined } });
    const stats = await executor.serve();
    port.send({ type: "stopped", stats });
    port.close();
    for (const other of start.ports) other?.close();
  };
}

class Executor {
  readonly #port: ThreadPort;
  readonly #runtime: Runtime;
  readonly #guestExecutor: GuestExecutor;
  readonly #tasks = new Map<number, Task>();
  readonly #answers = new Set<Promise<void>>();
  #stopping = false;

  constructor(port: ThreadPort, runtime: Runtime, guestExecutor: GuestExecutor) {
    this.#port = port;
    this.#runtime = runtime;
    this.#guestExecutor = guestExecutor;
  }

  /** @returns the figures of its whole life. */
  async serve(): Promise<RuntimeStats> {
    const runtime = this.#runtime;
    try {
      await runtime.ownThread(() => this.#stopping);
    } catch (error) {
      this.#port.send({ type: "broke", error: packError(error) });
    }
    await runtime[Symbol.asyncDispose]();
    // What the tasks came to is told before the end is.
    await Promise.allSettled([...this.#tasks.values(), ...this.#answers]);
    return runtime.stats;
  }

  take(message: ToThread): void {
    switch (message.type) {
      case "spawn":
        this.#spawn(message.id, message.request);
        break;
      case "cancel":
        this.#tasks.get(message.id)?.cancel();
        break;
      case "ask":
        this.#answer(message.id, message.question);
        break;
      case "stop":
        this.#stopping = true;
        this.#runtime.cancel();
        break;
      case "wake":
        this.#guestExecutor.channels.look();
        break;
      case "cancel all":
        this.#runtime.cancel();
        break;
    }
  }

  #spawn(id: number, { entry, args, ...options }: SpawnRequest): void {
    const ended = (outcome: Outcome<Awaited<Task>>): void => {
      this.#tasks.delete(id);
      this.#port.send({ type: "task ended", id, outcome });
    };
    const failed = (error: unknown): void => ended({ error: packError(error) });
    try {
      const task = this.#runtime.spawn(entry, args, options);
      this.#tasks.set(id, task);
      task.then((value) => ended({ value }), failed);
    } catch (error) {
      failed(error);
    }
  }

  #answer(id: number, question: Question): void {
    const told = this.#ask(question).then(
      (value) => this.#port.send({ type: "answer", id, outcome: { value } }),
      (error) => this.#port.send({ type: "answer", id, outcome: { error: packError(error) } }),
    );
    this.#answers.add(told);
    void told.then(() => this.#answers.delete(told));
  }

  async #ask(question: Question): Promise<unknown> {
    const runtime = this.#runtime;
    switch (question.what) {
      case "tasks":
        return runtime.tasks();
      case "dump":
        return runtime.dump(question.options);
      case "stats":
        return runtime.stats;
      case "raise":
        return runtime.raise(question.signal);
      case "run":
        return runtime.run();
      case "release":
        return releaseHandle(this.#guestExecutor.backend!, question.handle);
      case "adopt":
        return adoptHandle(this.#guestExecutor.backend!, question.token);
    }
  }
}

/** What executors say to each other: a task to start; null: a channel has changed. */
type Word = { readonly entry: number; readonly argument: Uint8Array } | null;

/** Another thread's word comes as a message, which ends a wait in the kernel. */
function openGuestExecutor(port: ThreadPort, start: Start): GuestExecutor {
  const { executor: self, arena: buffer, ports, executors, pool } = start;
  const arena = new Arena(buffer, self);
  const executor = new GuestExecutor(arena, executors, pool);
  const take = (word: Word): void => {
    if (word === null) {
      executor.channels.look();
      return;
    }
    const result = executor.spawns.here(word.entry, word.argument);
    if (result === 0) return;
    const message = `spawning a task for another executor on executor ${self}: error ${-result}`;
    port.send({ type: "task failed", error: packError(new StackfulError("SF_LIMIT", message)) });
  };
  for (const other of ports) other?.on("message", take);
  const say = (to: number, word: Word): void => ports[to]?.postMessage(word);
  executor.spawns.there = (to, entry, argument) => say(to, { entry, argument });
  arena.tell = (party) => {
    // Its own loop looks after every run.
    if (party === self) return;
    if (party < executors) say(party, null);
    else port.send({ type: "wake" });
  };
  return executor;
}

async function openRuntime(
  port: ThreadPort,
  start: Start,
  executor: GuestExecutor,
): Promise<Runtime> {
  const imports = start.importsUrl === undefined ? {} : await loadImports(start.importsUrl, start);
  return await Runtime.createOn(executor, start.module, {
    ...start.options,
    imports,
    onTaskFailed: (error) => port.send({ type: "task failed", error: packError(error) }),
    ...(start.forwardsOutput
      ? { onOutput: (stream, line) => port.send({ type: "output", stream, line }) }
      : {}),
  });
}
