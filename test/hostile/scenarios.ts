//! What a hostile guest writes over the blocks that it shares with the host, and what it does then.

import { ARM, SHARED, STATE, TASK, WAITER } from "../../ts/abi.gen.ts";

/** Where `stackful_init` puts the shared block: above what the guest may use itself. */
export const GUEST_MEMORY_BYTES = 16 * 1024 * 1024;

/** Address of sf_shared. */
const CORE = GUEST_MEMORY_BYTES;

/** Offsets from here on are in the block of the task that writes. */
const OWN = 0xffff_ff00;

const WILD = 0xffff_fff0;

/** Where the host keeps what it shares and waits for; see scribble.ts. */
export interface Places {
  readonly channel: number;
  readonly event: number;
  readonly semaphore: number;
  /** The owner of a select that waits. */
  readonly wait: number;
}

type Place = (places: Places) => number;

export interface Poke {
  readonly address: number | Place;
  readonly value: number | Place;
  /** @defaultValue 4 */
  readonly width?: 1 | 4;
  /** @defaultValue 1 */
  readonly times?: number;
}

/** The order of the cases in `poke` in hostile.c. */
const AFTERWARDS = {
  return: 0,
  yield: 1,
  trap: 2,
  park: 3,
  wait: 4,
  operate: 5,
  overflow: 6,
} as const;

export interface Scenario {
  readonly pokes: readonly Poke[];
  readonly afterwards: number;
  /** Performs an operation first, so that the backend has seen the rings. */
  readonly bindFirst?: boolean;
}

const shared = (field: keyof typeof SHARED, value: number): Poke => ({
  address: CORE + SHARED[field],
  value,
});
const own = (field: keyof typeof TASK, value: number): Poke => ({
  address: OWN + TASK[field],
  value,
});
const ownByte = (field: keyof typeof TASK, value: number): Poke => ({
  ...own(field, value),
  width: 1,
});
const wholeShared = (value: number): Poke => ({
  address: CORE,
  value,
  times: SHARED.size / 4,
});

/** The host's wait for an event. */
const wait =
  (offset: number): Place =>
  (places) =>
    places.wait + offset;
const signalWait: Poke = { address: CORE + SHARED.signaled, value: wait(0) };

/** A task block in the guest's own memory that lists can be led to. */
const FAKE = 0x10_0000 * 4;

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  "sf_shared is zero": { pokes: [wholeShared(0)], afterwards: AFTERWARDS.yield },
  "sf_shared is zero, then a trap": { pokes: [wholeShared(0)], afterwards: AFTERWARDS.trap },
  "sf_shared is all ones": { pokes: [wholeShared(0xffff_ffff)], afterwards: AFTERWARDS.yield },
  "sf_shared is all ones, then a trap": {
    pokes: [wholeShared(0xffff_ffff)],
    afterwards: AFTERWARDS.trap,
  },
  "sf_shared is all ones, then an operation": {
    pokes: [wholeShared(0xffff_ffff)],
    afterwards: AFTERWARDS.operate,
  },
  "sf_shared is all ones, then a stack overflow": {
    pokes: [wholeShared(0xffff_ffff)],
    afterwards: AFTERWARDS.overflow,
  },
  "sf_shared is zero, then a wait for the host": {
    pokes: [wholeShared(0)],
    afterwards: AFTERWARDS.wait,
  },
  "sf_shared is all ones, then a wait for the host": {
    pokes: [wholeShared(0xffff_ffff)],
    afterwards: AFTERWARDS.wait,
  },
  "fault is rubbish, then a trap": { pokes: [shared("fault", 77)], afterwards: AFTERWARDS.trap },
  "ended is wild": { pokes: [shared("ended", WILD)], afterwards: AFTERWARDS.yield },
  "ended is a task that has not ended": {
    pokes: [{ ...shared("ended", 0) }],
    afterwards: AFTERWARDS.yield,
  },
  "signaled is wild": { pokes: [shared("signaled", WILD)], afterwards: AFTERWARDS.yield },
  "a wait of the host comes back unserved": {
    pokes: [signalWait],
    afterwards: AFTERWARDS.yield,
  },
  "a wait of the host comes back with a wild index": {
    pokes: [{ address: wait(WAITER.result), value: 0x7fff_ffff }, signalWait],
    afterwards: AFTERWARDS.yield,
  },
  "a wait of the host comes back with a negative index": {
    pokes: [{ address: wait(WAITER.result), value: 0xffff_fff0 }, signalWait],
    afterwards: AFTERWARDS.yield,
  },
  "waits of the host go round": {
    pokes: [{ address: wait(WAITER.next), value: wait(0) }, signalWait],
    afterwards: AFTERWARDS.yield,
  },
  "a wait of the host has a million arms": {
    pokes: [{ address: wait(WAITER.count), value: 1_000_000 }],
    afterwards: AFTERWARDS.yield,
  },
  "a wait of the host has wild arms": {
    pokes: [{ address: wait(WAITER.item), value: WILD }],
    afterwards: AFTERWARDS.yield,
  },
  "the arms of a wait are of wild objects": {
    pokes: [0, 1, 2, 3].map((index) => ({
      address: wait(WAITER.size + index * ARM.size + ARM.object),
      value: WILD,
    })),
    afterwards: AFTERWARDS.yield,
  },
  "the arms of a wait are links of no queue": {
    pokes: [0, 1, 2, 3].map((index) => ({
      address: wait(WAITER.size + index * ARM.size),
      value: WILD,
      times: 3,
    })),
    afterwards: AFTERWARDS.yield,
  },
  "channel, event and semaphore are all ones": {
    pokes: (["channel", "event", "semaphore"] as const).map((name) => ({
      address: (places) => places[name],
      value: 0xffff_ffff,
      times: name === "channel" ? 16 : 4,
    })),
    afterwards: AFTERWARDS.yield,
  },
  "channel, event and semaphore are rubbish of small numbers": {
    pokes: (["channel", "event", "semaphore"] as const).map((name) => ({
      address: (places) => places[name],
      value: 0x11,
      times: name === "channel" ? 16 : 4,
    })),
    afterwards: AFTERWARDS.yield,
  },
  "everything the core keeps is wild": {
    pokes: [{ address: CORE, value: WILD, times: 1024 / 4 }],
    afterwards: AFTERWARDS.yield,
  },
  "the pools of memory are wild": {
    pokes: [{ address: CORE + SHARED.size, value: WILD, times: (1024 - SHARED.size) / 4 }],
    afterwards: AFTERWARDS.yield,
  },
  "the pools of memory hold the host's own blocks": {
    pokes: [
      { address: CORE + SHARED.size, value: wait(-TASK.size), times: (1024 - SHARED.size) / 4 },
    ],
    afterwards: AFTERWARDS.yield,
  },
  "the list of all tasks goes round": {
    pokes: [
      shared("all", FAKE),
      { address: FAKE + TASK.allNext, value: FAKE },
      shared("tasksLive", 0xffff_ffff),
    ],
    afterwards: AFTERWARDS.park,
  },
  "the list of all tasks goes round among ended ones": {
    pokes: [
      shared("all", FAKE),
      { address: FAKE + TASK.allNext, value: FAKE },
      { address: FAKE + TASK.state, value: STATE.ENDED, width: 1 },
    ],
    afterwards: AFTERWARDS.park,
  },
  "the list of all tasks is wild": {
    pokes: [shared("all", WILD), shared("tasksLive", 1000)],
    afterwards: AFTERWARDS.park,
  },
  "tasksLive is huge": { pokes: [shared("tasksLive", 0xffff_ffff)], afterwards: AFTERWARDS.return },
  "tasksLive is 0": { pokes: [shared("tasksLive", 0)], afterwards: AFTERWARDS.park },
  "its own block is all ones, then it returns": {
    pokes: [{ address: OWN, value: 0xffff_ffff, times: TASK.size / 4 }],
    afterwards: AFTERWARDS.return,
  },
  "its own block is all ones, then it yields": {
    pokes: [{ address: OWN, value: 0xffff_ffff, times: TASK.size / 4 }],
    afterwards: AFTERWARDS.yield,
  },
  "its own block is all ones, then it traps": {
    pokes: [{ address: OWN, value: 0xffff_ffff, times: TASK.size / 4 }],
    afterwards: AFTERWARDS.trap,
  },
  "its own block is zero, then it parks": {
    pokes: [{ address: OWN, value: 0, times: TASK.size / 4 }],
    afterwards: AFTERWARDS.park,
  },
  "its neighbours in the list of tasks are wild": {
    pokes: [own("allNext", WILD), own("allPrevious", WILD)],
    afterwards: AFTERWARDS.return,
  },
  "its joiners are wild": { pokes: [own("joiners", WILD)], afterwards: AFTERWARDS.return },
  "its size class is rubbish": {
    pokes: [ownByte("sizeClass", 255)],
    afterwards: AFTERWARDS.return,
  },
  "its name is wild": {
    pokes: [own("name", WILD), own("nameBytes", 0xffff_ffff)],
    afterwards: AFTERWARDS.park,
  },
  "its entry is wild": { pokes: [own("entry", WILD)], afterwards: AFTERWARDS.yield },
  "its frames are wild": { pokes: [own("framesPosition", WILD)], afterwards: AFTERWARDS.yield },
  "the rings are wild": {
    pokes: [shared("submissions", WILD), shared("completions", WILD)],
    afterwards: AFTERWARDS.operate,
  },
  "the rings' capacities are no powers of two": {
    pokes: [shared("submissionsCapacity", 77), shared("completionsCapacity", 77)],
    afterwards: AFTERWARDS.operate,
  },
  "the rings' addresses change after the backend has seen them": {
    pokes: [shared("submissions", WILD), shared("completions", WILD)],
    afterwards: AFTERWARDS.operate,
    bindFirst: true,
  },
  "the rings' indices are rubbish": {
    pokes: [
      shared("submissionsHead", 0x1234_5678),
      shared("submissionsTail", 0x9876_5432),
      shared("completionsHead", 0x5555_5555),
      shared("completionsTail", 0xaaaa_aaaa),
    ],
    afterwards: AFTERWARDS.yield,
    bindFirst: true,
  },
  "completions that nobody made": {
    pokes: [shared("completionsTail", 100)],
    afterwards: AFTERWARDS.yield,
  },
  "the submission ring is full of rubbish": {
    pokes: [
      { address: CORE + 0x400, value: 0x0707_0707, times: 4096 * 8 },
      shared("submissionsTail", 4096),
    ],
    afterwards: AFTERWARDS.yield,
    bindFirst: true,
  },
  "the submission ring is full of cancels": {
    pokes: [{ address: CORE + 0x400, value: 1, times: 4096 * 8 }, shared("submissionsTail", 4096)],
    afterwards: AFTERWARDS.yield,
    bindFirst: true,
  },
};
