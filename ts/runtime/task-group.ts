//! Groups of the host's tasks: sf_group, on this side.

import { ERRNO } from "../abi.gen.ts";
import { StackfulError } from "../errors.ts";
import type { Arm, HostArm, Outcome } from "./arm.ts";
import type { HostWaits } from "./host-waits.ts";
import type { SpawnOptions } from "./options.ts";
import { type WaitOptions, wait } from "./select.ts";
import type { Task, TaskResult } from "./task.ts";

export interface GroupOptions {
  /** The first error cancels the other members. @defaultValue false */
  readonly failFast?: boolean;
  /**
   * Members that run at once, from 1 on. Those above it start in the order in which they were
   * spawned. @defaultValue any number
   */
  readonly runningMax?: number;
  /** Cancels the group when it is aborted; from then on nothing can be spawned. */
  readonly signal?: AbortSignal;
}

/** What a group needs of its runtime. */
export interface GroupHost {
  readonly waits: HostWaits;
  /** Makes a task, which does not run yet. */
  create(entry: string, args: readonly (number | bigint)[], options: SpawnOptions): Task;
  /** Whether the result of an export is a status: 0 or more, or a negated errno. */
  returnsStatus(entry: string): boolean;
}

/**
 * Tasks that end before their group does. `await using` cancels the members that are left and waits
 * for them:
 *
 *     await using group = runtime.group({ failFast: true });
 *     for (const id of ids) group.spawn("fetch", [id]);
 *     await group.wait();
 *
 * A member fails when its task does, or when its only result is an i32 and negative: a negated errno.
 * SF_CANCELED and -ECANCELED are no failures. Once every member has ended the group is as new.
 */
export class TaskGroup implements AsyncDisposable {
  readonly #host: GroupHost;
  readonly #options: GroupOptions;
  readonly #runningMax: number;
  readonly #members = new Set<Task>();
  /** Members that wait for their turn to start. */
  readonly #line = new Set<Task>();
  readonly #waiters = new Set<(outcome: Outcome<undefined>) => boolean>();
  /** For room. */
  readonly #spawners = new Set<(outcome: Outcome<undefined>) => boolean>();
  #abort = new AbortController();
  #canceling = false;
  #error: { readonly reason: unknown } | undefined;

  /** @internal Groups come from `Runtime.group`. */
  constructor(host: GroupHost, options: GroupOptions) {
    const { runningMax = Number.POSITIVE_INFINITY } = options;
    if (!(runningMax >= 1)) {
      throw new RangeError(`group: runningMax must be 1 or more, not ${runningMax}`);
    }
    this.#host = host;
    this.#options = options;
    this.#runningMax = runningMax;
  }

  /** Members that have not ended. */
  get count(): number {
    return this.#members.size;
  }

  /**
   * Aborted when the group is canceled: pass it to what belongs to the members. A group that is as new
   * has a new one.
   */
  get signal(): AbortSignal {
    const { signal } = this.#options;
    return signal?.aborted ? signal : this.#abort.signal;
  }

  /**
   * Spawns a member; parameters and errors as `Runtime.spawn`. Its task is made at once, and counts
   * for `tasksMax`, even if it starts later.
   *
   * @throws {StackfulError} SF_CANCELED while the group is being canceled.
   */
  spawn(entry: string, args: readonly (number | bigint)[] = [], options: SpawnOptions = {}): Task {
    if (this.#canceling || this.#options.signal?.aborted) {
      throw new StackfulError("SF_CANCELED", `spawn ${entry}: the group is canceled`);
    }
    const task = this.#host.create(entry, args, options);
    if (this.#members.size === 0) {
      this.#options.signal?.addEventListener("abort", this.#onAbort, { once: true });
    }
    this.#members.add(task);
    const status = this.#host.returnsStatus(entry);
    task.onEnd().watch((outcome) => this.#ended(task, errorOf(task, outcome, status)));
    if (this.#running > this.#runningMax) this.#line.add(task);
    else task.start();
    return task;
  }

  /**
   * Resolves once every member has ended, those spawned meanwhile too. An abort ends only the wait:
   * the members go on. Not for a member's own host import: it would wait for itself.
   *
   * @throws the first error of a member, and forgets it. Each task has its own outcome besides.
   */
  async wait(options: WaitOptions = {}): Promise<void> {
    await wait(this.#host.waits, this.onWait(), options);
  }

  /** Resolves when fewer than runningMax members run: for spawning no faster than they end. */
  async room(options: WaitOptions = {}): Promise<void> {
    const free = (): Outcome<undefined> | undefined =>
      this.#running < this.#runningMax ? () => undefined : undefined;
    await wait(this.#host.waits, armOf(free, this.#spawners), options);
  }

  /** For a select: `wait`. */
  onWait(): Arm<undefined> {
    const idle = (): Outcome<undefined> | undefined =>
      this.#members.size === 0 ? () => settle(this.#takeError()) : undefined;
    return armOf(idle, this.#waiters);
  }

  /** Requests the cancel of every member. Does not wait. No effect on a group without members. */
  cancel(): void {
    this.#cancel(new StackfulError("SF_CANCELED", "the group was canceled"));
  }

  /** Cancels the members that are left and waits for all. Never rejects: errors are dropped. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.cancel();
    if (this.#members.size > 0) {
      await new Promise<void>((resolve) => {
        this.#waiters.add(() => {
          resolve();
          return true;
        });
      });
    }
    this.#error = undefined;
  }

  readonly #onAbort = (): void => this.#cancel(this.#options.signal!.reason);

  #cancel(reason: unknown): void {
    if (this.#members.size === 0) return;
    this.#canceling = true;
    for (const task of [...this.#members]) task.cancel();
    this.#abort.abort(reason);
  }

  #ended(task: Task, error: { readonly reason: unknown } | undefined): boolean {
    this.#members.delete(task);
    if (error !== undefined && this.#error === undefined) {
      this.#error = error;
      if (this.#options.failFast) this.cancel();
    }
    // One that has not started ends with its runtime only.
    if (!this.#line.delete(task)) this.#makeRoom();
    if (this.#members.size === 0) this.#drained();
    return true;
  }

  get #running(): number {
    return this.#members.size - this.#line.size;
  }

  #makeRoom(): void {
    const [next] = this.#line;
    if (next !== undefined) {
      this.#line.delete(next);
      next.start();
      return;
    }
    for (const ready of [...this.#spawners]) if (ready(() => undefined)) return;
  }

  #drained(): void {
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#canceling = false;
    if (this.#abort.signal.aborted) this.#abort = new AbortController();
    if (this.#waiters.size === 0) return;
    const error = this.#error;
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    const won = waiters.filter((ready) => ready(() => settle(error)));
    if (won.length > 0) this.#error = undefined;
  }

  #takeError(): { readonly reason: unknown } | undefined {
    const error = this.#error;
    this.#error = undefined;
    return error;
  }
}

function armOf(
  poll: () => Outcome<undefined> | undefined,
  waiters: Set<(outcome: Outcome<undefined>) => boolean>,
): HostArm<undefined> {
  return {
    poll,
    watch: (ready) => {
      waiters.add(ready);
      return () => waiters.delete(ready);
    },
  };
}

function settle(error: { readonly reason: unknown } | undefined): undefined {
  if (error !== undefined) throw error.reason;
  return undefined;
}

function errorOf(
  task: Task,
  outcome: Outcome<TaskResult>,
  status: boolean,
): { readonly reason: unknown } | undefined {
  try {
    const result = outcome();
    if (!status || (result as number) >= 0 || result === -ERRNO.ECANCELED) return undefined;
    return { reason: statusError(task, -(result as number)) };
  } catch (reason) {
    return reason instanceof StackfulError && reason.code === "SF_CANCELED"
      ? undefined
      : { reason };
  }
}

function statusError(task: Task, code: number): StackfulError {
  const found = Object.entries(ERRNO).find(([, value]) => value === code);
  const errno = found?.[0];
  return new StackfulError("SF_STATUS", `task "${task.name}" returned -${errno ?? code}`, {
    ...(errno === undefined ? {} : { errno }),
  });
}
