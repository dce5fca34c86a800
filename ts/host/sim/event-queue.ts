//! What is to happen, by virtual time: a binary heap, ties in the order in which they were added.

/** Something that happens at an instant. In one queue at a time. */
export abstract class QueuedEvent {
  /** Virtual time, in whole nanoseconds. */
  timeNs = 0;
  /** Among events of the same instant. */
  sequence = 0;
  /** Its place in the heap; -1: in no queue. */
  place = -1;

  get queued(): boolean {
    return this.place >= 0;
  }

  abstract run(): void;
}

/** Calls a function. For what is rare: a class of its own costs less. */
export class CallEvent extends QueuedEvent {
  readonly #call: () => void;

  constructor(call: () => void) {
    super();
    this.#call = call;
  }

  override run(): void {
    this.#call();
  }
}

export class EventQueue {
  readonly #heap: QueuedEvent[] = [];
  #sequence = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** When the first event is due. Infinity: there is none. */
  get firstNs(): number {
    return this.#heap[0]?.timeNs ?? Number.POSITIVE_INFINITY;
  }

  /** Adds the event, or moves it when it is here already. */
  add(event: QueuedEvent, timeNs: number): void {
    event.timeNs = timeNs;
    event.sequence = this.#sequence++;
    if (event.place < 0) {
      event.place = this.#heap.length;
      this.#heap.push(event);
      this.#up(event);
    } else {
      this.#up(event);
      this.#down(event);
    }
  }

  /** Takes the event out, if it is in. */
  remove(event: QueuedEvent): void {
    const { place } = event;
    if (place < 0) return;
    event.place = -1;
    const last = this.#heap.pop()!;
    if (last === event) return;
    last.place = place;
    this.#heap[place] = last;
    this.#up(last);
    this.#down(last);
  }

  /** Takes the first event out. */
  take(): QueuedEvent | undefined {
    const first = this.#heap[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  clear(): void {
    for (const event of this.#heap) event.place = -1;
    this.#heap.length = 0;
  }

  #up(event: QueuedEvent): void {
    const heap = this.#heap;
    let { place } = event;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above]!;
      if (!before(event, parent)) break;
      heap[place] = parent;
      parent.place = place;
      place = above;
    }
    heap[place] = event;
    event.place = place;
  }

  #down(event: QueuedEvent): void {
    const heap = this.#heap;
    const { length } = heap;
    let { place } = event;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= length) break;
      if (below + 1 < length && before(heap[below + 1]!, heap[below]!)) below++;
      const child = heap[below]!;
      if (!before(child, event)) break;
      heap[place] = child;
      child.place = place;
      place = below;
    }
    heap[place] = event;
    event.place = place;
  }
}

function before(a: QueuedEvent, b: QueuedEvent): boolean {
  return a.timeNs < b.timeNs || (a.timeNs === b.timeNs && a.sequence < b.sequence);
}
