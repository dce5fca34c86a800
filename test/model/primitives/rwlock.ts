//! Reader-writer locks: one writer or many readers, and writers go first.

import { ERRNO } from "../../../ts/abi.gen.ts";
import { type Primitive, type Rules, single, sweep } from "../case.ts";
import type { Call, History } from "../history.ts";
import { inTurn } from "../law-parts.ts";
import { EVENT } from "../machine.ts";
import { after0, op, until } from "../operations.ts";

const read = op("read_lock");
const write = op("write_lock");
const tryRead = op("try_read_lock");
const tryWrite = op("try_write_lock");
const readUnlock = op("read_unlock");
const writeUnlock = op("write_unlock");

const READS = ["read_lock", "try_read_lock"];
const WRITES = ["write_lock", "try_write_lock"];

function follow(h: History): { message?: string; readers: number; writer: number } {
  let readers = 0;
  let writer = -1;
  for (let moment = 0; moment < h.count; moment++) {
    const { kind, task, call } = h.events[moment]!;
    // Who is woken has it, and who did not wait has it when it returns.
    const now = call?.waited === true ? call.woken === moment : kind === EVENT.end;
    if (!now || !call!.ended || call!.result !== 0) continue;
    const fail = { message: `${call}, ${readers} read, ${writer} writes`, readers, writer };
    if (READS.includes(call!.name)) {
      if (writer >= 0) return fail;
      readers++;
    } else if (WRITES.includes(call!.name)) {
      if (writer >= 0 || readers > 0) return fail;
      writer = task;
    } else if (call!.name === "read_unlock") {
      if (readers === 0) return fail;
      readers--;
    } else if (call!.name === "write_unlock") {
      if (writer !== task) return fail;
      writer = -1;
    }
  }
  return { readers, writer };
}

/** A reader that comes while a writer waits gets in after it. */
function writersFirst(h: History): string | undefined {
  const writers = h.named("write_lock").filter((call) => call.waited);
  for (const reader of h.named(...READS)) {
    if (!reader.ok) continue;
    const writer = writers.find(
      (each) => each.waitsAt(reader.begin) && reader.wokenIn < each.wokenIn,
    );
    if (writer !== undefined) return `${reader} before ${writer}, which waited`;
  }
  return undefined;
}

function deadlock(h: History): string | undefined {
  const wrong = h.named("write_lock").find((call) => call.result === -ERRNO.EDEADLK && call.waited);
  return wrong && String(wrong);
}

const rules: Rules = {
  laws: {
    "one writer or readers": (h) => follow(h).message,
    "writers go first": writersFirst,
    "writers are served in turn": (h) => inTurn(h.named("write_lock")),
    "who holds it is told at once": deadlock,
  },
  mayWait: (call: Call, h) => {
    const { readers, writer } = follow(h);
    if (call.name === "write_lock") return readers > 0 || writer >= 0;
    return writer >= 0 || h.named("write_lock").some((each) => each.waiting);
  },
};

export const rwlock: Primitive = {
  name: "reader-writer lock",
  *cases() {
    const reader = [read, after0(readUnlock), read];
    const writer = [write, after0(writeUnlock), write];
    for (const third of [reader, writer, [tryRead, tryWrite, after0(writeUnlock)]]) {
      yield single(rules, [reader, writer, third]);
    }
    const shortReader = [read, after0(readUnlock)];
    const shortWriter = [write, after0(writeUnlock)];
    const timed = [until(10, write), after0(writeUnlock)];
    yield single(rules, [shortReader, shortReader, timed, shortWriter], { cancels: 0 });
    yield single(rules, [shortReader, shortWriter, timed], { cancels: 2 });
    yield single(rules, [shortReader, shortReader, timed], { cancels: 2 });
    yield single(rules, [[read, op("checkpoint")], [read], [until(10, write)], [read]], {
      cancels: 1,
    });
    yield* sweep(rules, [read, write, after0(writeUnlock)], 3, 2, { cancels: 1 });
    yield* sweep(rules, [read, after0(readUnlock), until(10, write), tryRead], 3, 2);
  },
};
