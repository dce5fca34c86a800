//! A clock for tests that only moves when nothing is left to do: then to the next timer at once.
//!
//! It replaces `performance.now` and `setTimeout`, which is all that the turn loop knows of time. So a
//! guest that sleeps for a thousand seconds is awake after one turn of the host's event loop, and what
//! happens does not depend on how fast the machine is. Timers of less than a millisecond are rounded
//! up, as the turn loop does: several within one millisecond are due in the same turn, in their order.
//!
//! For tests with a Runtime; laws of the core alone take virtual-host.ts.

interface VirtualTimer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** Where a guest's clock starts: any instant but 0. */
const START_MS = 1_000;

export async function withVirtualTime<T>(body: () => Promise<T>): Promise<T> {
  const { setTimeout: realSetTimeout, clearTimeout: realClearTimeout } = globalThis;
  const timers = new Map<number, VirtualTimer>();
  let nowMs = START_MS;
  let nextId = 1;
  let pumping = false;

  /** The host's event loop has turned: who wanted to run has run. */
  const fireNext = (): void => {
    pumping = false;
    let first: number | undefined;
    for (const [id, { dueMs }] of timers) {
      if (first === undefined || dueMs < timers.get(first)!.dueMs) first = id;
    }
    if (first === undefined) return;
    const { dueMs, callback } = timers.get(first)!;
    timers.delete(first);
    nowMs = Math.max(nowMs, dueMs);
    pump();
    callback();
  };
  const pump = (): void => {
    if (pumping) return;
    pumping = true;
    setImmediate(fireNext);
  };

  performance.now = () => nowMs;
  globalThis.setTimeout = ((callback: () => void, delayMs = 0) => {
    const id = nextId++;
    timers.set(id, { dueMs: nowMs + delayMs, callback });
    pump();
    return id;
  }) as unknown as typeof setTimeout;
  globalThis.clearTimeout = ((id: number) => void timers.delete(id)) as typeof clearTimeout;
  try {
    return await body();
  } finally {
    // What the prototype has is visible again.
    Reflect.deleteProperty(performance, "now");
    globalThis.setTimeout = realSetTimeout;
    globalThis.clearTimeout = realClearTimeout;
  }
}
