//! What guest and host coordinate with: channels, events, semaphores, groups, and select over them; and
//! calls that block.

import { type BlockingOptions, BlockingPool } from "./blocking.ts";
import { Channel, type ChannelOptions } from "./channel.ts";
import { Event, type EventOptions } from "./event.ts";
import type { ItemOf, ItemType } from "./item.ts";
import type { Limits } from "./options.ts";
import { type Selectables, type Selected, type SelectOptions, select } from "./select.ts";
import { Semaphore } from "./semaphore.ts";
import { type GroupHost, type GroupOptions, TaskGroup } from "./task-group.ts";

/** This part of a `Runtime`. Objects can be made until the runtime ends: SF_DISPOSED then. */
export abstract class Coordination {
  /** @internal What they need. @throws when the runtime is over and `what` is to be made. */
  protected abstract host(what?: string): GroupHost;

  abstract readonly limits: Limits;
  #blocking: BlockingPool | undefined;

  /** A channel that guest and host share. Its memory lives as long as the runtime. */
  channel<I extends ItemType = "i32">(options: ChannelOptions<I> = {}): Channel<ItemOf<I>> {
    return new Channel(this.host("channel").waits, options);
  }

  /** An event that guest and host share. Its memory lives as long as the runtime. */
  event(options: EventOptions = {}): Event {
    return new Event(this.host("event").waits, options);
  }

  /**
   * A semaphore that guest and host share. Its memory lives as long as the runtime.
   *
   * @throws {RangeError} permits is not a whole number from 0 to 2 ** 32 - 1.
   */
  semaphore(permits: number): Semaphore {
    return new Semaphore(this.host("semaphore").waits, permits);
  }

  /** A group of the host's tasks. @throws {RangeError} runningMax is not 1 or more. */
  group(options: GroupOptions = {}): TaskGroup {
    return new TaskGroup(this.host(), options);
  }

  /**
   * Calls a function that blocks, or that computes for long, on a thread of its own, and resolves to what it
   * returns. A function cannot go to another thread, so it is named: the export `name` of the module at
   * `module`, which each thread imports once for itself.
   *
   *     const digest = await runtime.blocking<string>(new URL("./work.js", import.meta.url), "hash", [file]);
   *
   * In an async import of the guest it parks the task that calls. Of `limits.blockingThreads` calls at once
   * the rest waits, first come first served. Arguments and result are structured clones. The process stays
   * for a call that runs. Not in browsers.
   *
   * @throws what the function throws, as a structured clone with its name and properties; the signal's
   *   reason; {DOMException} DataCloneError for what cannot be cloned; {StackfulError} SF_IO when the thread
   *   ended meanwhile, or ENOSYS where there are none; SF_DISPOSED. {TypeError} `module` is no absolute URL.
   */
  async blocking<Result = unknown>(
    module: URL | string,
    name: string,
    args: readonly unknown[] = [],
    options: BlockingOptions = {},
  ): Promise<Result> {
    this.host("blocking");
    this.#blocking ??= new BlockingPool(this.limits.blockingThreads);
    const call = { module: new URL(module).href, name, args };
    return (await this.#blocking.run(call, options)) as Result;
  }

  /** Ends what `blocking` has begun. */
  protected async endBlocking(): Promise<void> {
    await this.#blocking?.close();
  }

  /**
   * Waits until one of several things is there:
   *
   *     const won = await runtime.select({ job: jobs.onReceive(), late: timeout(100), stop: signal });
   *     if (won.key === "job") handle(won.value);
   *
   * Exactly the arm that is returned has its effect, also against tasks that want the same. Of those
   * that are ready at the call the first counts; a promise is never among them, it counts a microtask
   * later at the earliest. Else the one counts that is ready first. What became ready in one run of
   * the guest is looked at in this order: the arms of channels, events and semaphores by their time,
   * then tasks and groups.
   *
   * @throws what the winner's own call throws: SF_CLOSED for a send on a closed channel, a task's
   *   error, the reason of a promise; the signal's reason; SF_DISPOSED, or what else the runtime
   *   ended with.
   */
  async select<const A extends Selectables>(
    arms: A,
    options?: SelectOptions,
  ): Promise<Selected<A>> {
    return await select(this.host().waits, arms, options);
  }
}
