//! A task on another thread.

import { Task, type TaskOwner } from "../runtime/task.ts";

/**
 * A task of a pool: as a `Task` of a `Runtime`, but that its `status` is "running" until it has ended:
 * whether it waits there `ExecutorPool.tasks` tells.
 *
 * @throws {StackfulError} from `await`: as awaiting a `Task` does; what `Runtime.spawn` throws;
 *   SF_EXECUTOR when its executor crashed; SF_DEADLOCK when nothing can wake a task of the pool any more.
 */
export class PoolTask extends Task {
  /** Which one runs it. */
  readonly executor: number;

  /** @internal Tasks come from `ExecutorPool.spawn`. */
  constructor(owner: TaskOwner & { readonly index: number }, id: number, name: string) {
    super(owner, id, name);
    this.executor = owner.index;
  }
}
