//! What happens next in a world, one step at a time: a step of a loop, or an event.
//!
//!   loops that are ready   stepped one at a time, in an order and with budgets from the seed
//!   events of now          between those steps, after a number of them from the seed
//!   nobody is ready        time passes, to the next event
//!
//! JavaScript that a step has called or woken runs before anything else happens: only then does the
//! same seed give the same history, although the host decides when its event loop turns.

import type { DrivenLoop, Driver } from "../driver.ts";
import { CallEvent, EventQueue, QueuedEvent } from "./event-queue.ts";
import type { Observer } from "./observer.ts";
import type { Random } from "./random.ts";

/** Budgets of one step are 2^0 to 2^11 switches, runs of events between steps 2^0 to 2^7 long. */
const BUDGET_BITS = 12;
const EVENTS_BITS = 8;

/**
 * Programs that go on for so many steps without time passing are taken to wait for it, in a loop of
 * their own: then a millisecond passes, or less, to the next event.
 */
const SPIN_STEPS = 1024;
const SPIN_NS = 1e6;

/** Where the guests' monotonic clock starts: a clock that shows 0 looks like one that is not set. */
export const BOOT_NS = 1e9;

/** What came of one step. */
export type Progress =
  | "stepped"
  /** JavaScript has to run first: see `javascriptRan`. */
  | "javascript"
  /** Somebody holds the world. */
  | "held"
  /** The next event is later than the time given. */
  | "later"
  /** Nothing will happen any more by itself. */
  | "nothing";

class Member extends QueuedEvent {
  readonly loop: DrivenLoop;
  readonly name: string;
  readonly #wake: (member: Member) => void;
  ready = false;
  hostCallsSeen = 0;

  constructor(loop: DrivenLoop, name: string, wake: (member: Member) => void) {
    super();
    this.loop = loop;
    this.name = name;
    this.#wake = wake;
  }

  /** Its earliest timer is due. */
  override run(): void {
    this.#wake(this);
  }
}

export class Scheduler {
  nowNs = 0;
  /** Called when there may be something to do, from outside of a step. */
  onWork: () => void = () => {};
  readonly #queue = new EventQueue();
  readonly #random: Random;
  readonly #observer: Observer;
  readonly #members = new Map<DrivenLoop, Member>();
  readonly #ready: Member[] = [];
  readonly #sleepers = new Set<() => void>();
  #holds = 0;
  #javascriptDue = false;
  /** How many events may still come before a ready loop is stepped. */
  #eventsLeft = 0;
  /** Steps of loops since time has passed. */
  #spins = 0;
  #stepping = false;
  #ended = false;

  constructor(random: Random, observer: Observer) {
    this.#random = random;
    this.#observer = observer;
  }

  /** Whether nothing will happen any more by itself. */
  get quiescent(): boolean {
    return (
      this.#ready.length === 0 &&
      this.#queue.size === 0 &&
      !this.#javascriptDue &&
      this.#holds === 0 &&
      !this.#stepping
    );
  }

  /** Has `event` happen at `timeNs`, at the earliest now. */
  at(timeNs: number, event: QueuedEvent): void {
    this.#queue.add(event, Math.max(this.nowNs, Math.ceil(timeNs)));
    this.#work();
  }

  after(ns: number, event: QueuedEvent): void {
    this.at(this.nowNs + ns, event);
  }

  cancel(event: QueuedEvent): void {
    this.#queue.remove(event);
  }

  /** Calls the embedder's `what` in `ns` nanoseconds. */
  callAfter(ns: number, what: () => void): void {
    const call = new CallEvent(() => {
      this.javascript();
      what();
    });
    this.after(ns, call);
  }

  sleep(ns: number): Promise<void> {
    if (this.#ended) return Promise.resolve();
    return new Promise((resolve) => {
      this.#sleepers.add(resolve);
      this.callAfter(ns, () => {
        this.#sleepers.delete(resolve);
        resolve();
      });
    });
  }

  /** JavaScript was called or woken: it runs before the next step. */
  javascript(): void {
    this.#javascriptDue = true;
    this.#work();
  }

  /** The host's event loop has gone round. */
  javascriptRan(): void {
    this.#javascriptDue = false;
  }

  /** Nothing happens until the function that this returns is called. */
  hold(): () => void {
    this.#holds++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holds--;
      this.javascript();
    };
  }

  /** The driver of one process. */
  driver(name: string, onAdded: (loop: DrivenLoop) => void): Driver {
    return {
      add: (loop) => {
        this.#members.set(loop, new Member(loop, name, (member) => this.#makeReady(member)));
        onAdded(loop);
      },
      remove: (loop) => this.#remove(loop),
      wake: (loop) => {
        const member = this.#members.get(loop);
        if (member !== undefined) this.#makeReady(member);
      },
      sleep: (ns) => this.sleep(ns),
    };
  }

  /** Does the next thing, unless that is later than `untilNs`. */
  step(untilNs: number): Progress {
    if (this.#holds > 0) return "held";
    if (this.#javascriptDue) return "javascript";
    this.#stepping = true;
    try {
      return this.#step(untilNs);
    } finally {
      this.#stepping = false;
    }
  }

  /** Whether nothing happens any more. */
  get ended(): boolean {
    return this.#ended;
  }

  /** When the next event is due. */
  get nextNs(): number {
    return this.#queue.firstNs;
  }

  /** Nothing happens any more. */
  end(): void {
    this.#ended = true;
    this.#queue.clear();
    this.#javascriptDue = false;
    for (const resolve of this.#sleepers) resolve();
    this.#sleepers.clear();
  }

  #step(untilNs: number): Progress {
    const ready = this.#ready;
    const { firstNs } = this.#queue;
    if (ready.length > 0) {
      if (firstNs > this.nowNs || this.#eventsLeft === 0) {
        this.#eventsLeft = 1 << this.#random.integer(EVENTS_BITS);
        this.#stepLoop();
        if (++this.#spins >= SPIN_STEPS) this.#pass(Math.min(this.nowNs + SPIN_NS, this.nextNs));
        return "stepped";
      }
      this.#eventsLeft--;
    } else if (firstNs > untilNs) {
      return firstNs === Number.POSITIVE_INFINITY ? "nothing" : "later";
    } else if (firstNs === Number.POSITIVE_INFINITY) {
      return "nothing";
    }
    const event = this.#queue.take()!;
    if (event.timeNs > this.nowNs) this.#pass(event.timeNs);
    event.run();
    return "stepped";
  }

  #pass(toNs: number): void {
    this.nowNs = Math.max(this.nowNs, toNs);
    this.#spins = 0;
  }

  #stepLoop(): void {
    const ready = this.#ready;
    const index = this.#random.integer(ready.length);
    const member = ready[index]!;
    const last = ready.pop()!;
    if (last !== member) ready[index] = last;
    member.ready = false;
    const budget = 1 << this.#random.integer(BUDGET_BITS);
    if (this.#observer.tracing) this.#observer.note(`run ${member.name} budget=${budget}`);
    const { loop } = member;
    const more = loop.step(budget);
    if (loop.hostCalls !== member.hostCallsSeen) {
      member.hostCallsSeen = loop.hostCalls;
      this.#javascriptDue = true;
    }
    if (!this.#members.has(loop)) return;
    if (more) this.#makeReady(member);
    this.#setTimer(member, more);
  }

  #setTimer(member: Member, more: boolean): void {
    const dueNs = member.loop.deadlineNs - BOOT_NS;
    if (dueNs === Number.POSITIVE_INFINITY) {
      this.#queue.remove(member);
    } else if (!member.queued || member.timeNs !== dueNs) {
      // Due, and yet the program waits: it has damaged its timers, and must not hold the world.
      const overdue = dueNs <= this.nowNs && !more;
      this.#queue.add(member, overdue ? this.nowNs + SPIN_NS : Math.max(dueNs, this.nowNs));
    }
  }

  #makeReady(member: Member): void {
    if (member.ready) return;
    member.ready = true;
    this.#ready.push(member);
    this.#work();
  }

  #remove(loop: DrivenLoop): void {
    const member = this.#members.get(loop);
    if (member === undefined) return;
    this.#members.delete(loop);
    this.#queue.remove(member);
    const index = this.#ready.indexOf(member);
    if (index >= 0) this.#ready.splice(index, 1);
    // Whoever waited for what ran in it is told.
    this.javascript();
  }

  #work(): void {
    if (!this.#stepping) this.onWork();
  }
}
