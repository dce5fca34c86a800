//! The pool's end of an executor: what it was asked, what it answers, and its end.

import { startThread } from "#platform/executors/start-thread";
import { StackfulError } from "../errors.ts";
import type { SpawnOptions } from "../runtime/options.ts";
import type { RuntimeStats } from "../runtime/stats.ts";
import { cancelOnAbort, type TaskOwner, type TaskStatus } from "../runtime/task.ts";
import { Deferred } from "./deferred.ts";
import type {
  Answers,
  FromThread,
  Outcome,
  Question,
  SpawnRequest,
  Start,
  ToThread,
} from "./messages.ts";
import { PoolTask } from "./pool-task.ts";
import type { Quiescence } from "./quiescence.ts";
import type { Thread } from "./start-thread.ts";
import { unpackError } from "./wire-error.ts";

export interface RemoteEvents {
  output(stream: "stdout" | "stderr", line: string): void;
  taskFailed(error: StackfulError): void;
  crashed(error: StackfulError): void;
  /** It runs nothing any more. */
  ended(): void;
  /** A channel has changed. */
  wake(): void;
  /** All executors rest. */
  still(): void;
  /** It is about to be told something. */
  rouse(): void;
}

interface Waiter {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export class RemoteExecutor implements TaskOwner {
  readonly index: number;
  readonly #events: RemoteEvents;
  readonly #quiescence: Quiescence;
  readonly #thread: Thread;
  readonly #tasks = new Map<number, { readonly task: PoolTask; readonly request: SpawnRequest }>();
  readonly #answers = new Map<number, Waiter>();
  readonly #started = new Deferred();
  readonly #exited = new Deferred();
  /** It has said that it has stopped, or was never started. */
  #stopped = false;
  #stopping = false;
  #over: StackfulError | undefined;
  #lastStats: RuntimeStats | undefined;
  #lastId = 0;

  constructor(
    start: Start,
    events: RemoteEvents,
    quiescence: Quiescence,
    execArgv: readonly string[] | undefined,
  ) {
    this.index = start.executor;
    this.#quiescence = quiescence;
    this.#events = events;
    this.#thread = startThread(
      `stackful executor ${start.executor}`,
      {
        message: (message) => {
          this.#take(message);
          quiescence.took(quiescence.pool);
        },
        error: (error) => this.#crash(error),
        exit: () => this.#exit(),
      },
      execArgv,
    );
    const ports = start.ports.filter((port) => port !== undefined);
    this.#thread.send({ type: "start", start }, ports);
  }

  /** Resolves when it is ready. @throws why it cannot start. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  /** Why it takes nothing any more: it has ended, or crashed. */
  get over(): StackfulError | undefined {
    return this.#over;
  }

  /** Tasks of the pool that live on it. */
  get load(): number {
    return this.#tasks.size;
  }

  spawn(request: SpawnRequest, { signal }: SpawnOptions): PoolTask {
    if (this.#over !== undefined) throw this.#over;
    const id = ++this.#lastId;
    const task = new PoolTask(this, id, request.name ?? request.entry);
    this.#tasks.set(id, { task, request });
    task.start();
    if (signal !== undefined) cancelOnAbort(task, signal);
    return task;
  }

  /** @internal */
  start(id: number): void {
    const { request } = this.#tasks.get(id)!;
    this.#send({ type: "spawn", id, request });
  }

  /** @internal */
  cancel(id: number): void {
    if (this.#tasks.has(id)) this.#send({ type: "cancel", id });
  }

  /** @internal */
  status(): TaskStatus {
    return "running";
  }

  wake(): void {
    if (this.#over === undefined) this.#send({ type: "wake" });
  }

  cancelAll(): void {
    if (this.#over === undefined) this.#send({ type: "cancel all" });
  }

  ask<Q extends Question>(question: Q): Promise<Answers[Q["what"]]> {
    if (this.#over !== undefined) return Promise.reject(this.#over);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#answers.set(id, { resolve: (value) => resolve(value as Answers[Q["what"]]), reject });
      this.#send({ type: "ask", id, question });
    });
  }

  /** Its figures; undefined when it has crashed. */
  async stats(): Promise<RuntimeStats | undefined> {
    if (this.#over === undefined) {
      try {
        return await this.ask({ what: "stats" });
      } catch (error) {
        if (error !== this.#over) throw error;
      }
    }
    return this.#lastStats;
  }

  /** Cancels its tasks, waits for them, and ends the thread: after `waitMs` wherever it is. */
  async stop(waitMs: number): Promise<void> {
    if (!this.#stopping) {
      this.#stopping = true;
      if (!this.#stopped) this.#send({ type: "stop" });
    }
    const timer = setTimeout(() => void this.#thread.kill(), waitMs);
    await this.#exited.promise;
    clearTimeout(timer);
  }

  /** Whether it keeps the process. */
  keep(process: boolean): void {
    this.#thread.keep(process);
  }

  /** Nothing of it will ever go on: everything that somebody waits for ends with this. */
  fail(error: StackfulError): void {
    if (this.#over === undefined) this.#end(error);
  }

  #send(message: ToThread): void {
    this.#events.rouse();
    this.#quiescence.sends(this.index);
    this.#thread.send(message);
  }

  #take(message: FromThread): void {
    switch (message.type) {
      case "started":
        if ("error" in message.outcome) {
          this.#stopped = true;
          this.#started.reject(unpackError(message.outcome.error));
        } else {
          this.#started.resolve();
        }
        break;
      case "task ended": {
        const found = this.#tasks.get(message.id);
        this.#tasks.delete(message.id);
        found?.task.settle(resultOf(message.outcome));
        break;
      }
      case "answer": {
        const waiter = this.#answers.get(message.id);
        this.#answers.delete(message.id);
        if ("error" in message.outcome) waiter?.reject(unpackError(message.outcome.error));
        else waiter?.resolve(message.outcome.value);
        break;
      }
      case "wake":
        this.#events.wake();
        break;
      case "still":
        this.#events.still();
        break;
      case "output":
        this.#events.output(message.stream, message.line);
        break;
      case "task failed":
        this.#events.taskFailed(unpackError(message.error) as StackfulError);
        break;
      case "broke":
        this.#crash(unpackError(message.error));
        break;
      case "stopped":
        this.#stopped = true;
        if (this.#over === undefined) this.#lastStats = message.stats;
        this.#end(new StackfulError("SF_DISPOSED", `executor ${this.index} has ended`));
        break;
    }
  }

  #crash(cause: unknown): void {
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `executor ${this.index} crashed: ${why}`;
    const error = new StackfulError("SF_EXECUTOR", message, { cause });
    if (this.#over !== undefined) return;
    this.#end(error);
    this.#events.crashed(error);
  }

  #exit(): void {
    if (!this.#stopped) this.#crash("its thread has ended");
    this.#exited.resolve();
  }

  /** Of everything that somebody may be waiting for. */
  #end(error: StackfulError): void {
    this.#over ??= error;
    this.#events.ended();
    this.#started.reject(this.#over);
    const tasks = [...this.#tasks.values()];
    const answers = [...this.#answers.values()];
    this.#tasks.clear();
    this.#answers.clear();
    for (const { task } of tasks) task.settle({ error: this.#over });
    for (const { reject } of answers) reject(this.#over);
  }
}

function resultOf<T>(outcome: Outcome<T>): { readonly result: T } | { readonly error: unknown } {
  return "error" in outcome ? { error: unpackError(outcome.error) } : { result: outcome.value };
}
