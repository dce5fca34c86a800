//! An executor, on its own thread: a runtime that does what the pool says. The thread belongs to its
//! loop, which waits in the kernel where the backend can; a message ends such a wait.

import { SHARED } from "../abi.gen.ts";
import { Arena } from "../channels/arena.ts";
import type { GuestChannels } from "../channels/guest-channels.ts";
import { type ExecutorHost, GuestExecutor } from "../channels/guest-executor.ts";
import { StackfulError } from "../errors.ts";
import { adoptHandle, releaseHandle } from "../runtime/adopt.ts";
import { Runtime } from "../runtime/runtime.ts";
import type { RuntimeStats } from "../runtime/stats.ts";
import type { Task } from "../runtime/task.ts";
import { loadImports } from "./imports-module.ts";
import type { Outcome, Question, SpawnRequest, Start, ToThread } from "./messages.ts";
import { Quiescence } from "./quiescence.ts";
import type { ThreadPort } from "./start-thread.ts";
import { packError } from "./wire-error.ts";

/** Serves the pool through `port` until it says stop. */
export function serveExecutor(bare: ThreadPort): void {
  let executor: Executor | undefined;
  let take: (message: ToThread) => void = () => {};
  bare.onMessage((message) => {
    if (message.type === "start") void start(message.start);
    else take(message);
  });
  const start = async (start: Start): Promise<void> => {
    const quiescence = new Quiescence(start.quiescence, start.executors);
    const port = counted(bare, quiescence);
    take = (message) => {
      quiescence.begin(start.executor);
      executor?.take(message);
      quiescence.took(start.executor);
    };
    try {
      const guestExecutor = openGuestExecutor(port, start, quiescence);
      const runtime = await openRuntime(port, start, guestExecutor);
      executor = new Executor(port, runtime, guestExecutor);
    } catch (error) {
      port.send({ type: "started", outcome: { error: packError(error) } });
      port.close();
      return;
    }
    port.send({ type: "started", outcome: { value: undefined } });
    const stats = await executor.serve((tasks) => {
      if (quiescence.rest(start.executor, tasks)) port.send({ type: "still" });
    });
    port.send({ type: "stopped", stats });
    port.close();
    for (const other of start.ports) other?.close();
  };
}

class Executor {
  readonly #port: ThreadPort;
  readonly #runtime: Runtime;
  readonly #host: ExecutorHost;
  readonly #channels: GuestChannels;
  readonly #tasks = new Map<number, Task>();
  readonly #answers = new Set<Promise<void>>();
  #stopping = false;

  constructor(port: ThreadPort, runtime: Runtime, { channels, host }: GuestExecutor) {
    this.#port = port;
    this.#runtime = runtime;
    this.#channels = channels;
    this.#host = host!;
  }

  /**
   * @param onRest - nothing but a message can wake one of the tasks that live.
   * @returns the figures of its whole life.
   */
  async serve(onRest: (tasks: number) => void): Promise<RuntimeStats> {
    const runtime = this.#runtime;
    const { awaits, guest } = this.#host;
    const rest = (): void => {
      if (awaits.pending === 0) onRest(guest.sharedU32(SHARED.tasksLive));
    };
    try {
      await runtime.ownThread(() => this.#stopping, rest);
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
        this.#channels.look();
        break;
      case "cancel all":
        this.#runtime.cancel();
        break;
    }
    // It rests again after a turn, whatever this was.
    this.#host.wake();
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
        return releaseHandle(this.#host.backend, question.handle);
      case "adopt":
        return adoptHandle(this.#host.backend, question.token);
    }
  }
}

/** The same port, whose messages are counted. */
function counted(port: ThreadPort, quiescence: Quiescence): ThreadPort {
  return {
    ...port,
    send: (message) => {
      quiescence.sends(quiescence.pool);
      port.send(message);
    },
  };
}

/** What executors say to each other: a task to start; null: a channel has changed. */
type Word = { readonly entry: number; readonly argument: Uint8Array } | null;

/** Another thread's word comes as a message, which ends a wait in the kernel. */
function openGuestExecutor(port: ThreadPort, start: Start, quiescence: Quiescence): GuestExecutor {
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
  for (const other of ports) {
    other?.on("message", (word: Word) => {
      quiescence.begin(self);
      take(word);
      executor.host?.wake();
      quiescence.took(self);
    });
  }
  const say = (to: number, word: Word): void => {
    quiescence.sends(to);
    ports[to]?.postMessage(word);
  };
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
