import { expect, test } from "vitest";
import { buildGuest } from "../support/build-guest.ts";
import { VirtualHost } from "../support/virtual-host.ts";

const ITEM_CALLS = 30;
const OBJECT_CALLS = 55;
const START_OPERATION = 45;
const KINDS = 5;

/** Runs a law in an instance of its own, for each list of arguments; collects those that break it. */
async function eachInItsOwn(entry: string, lists: readonly (readonly number[])[]): Promise<void> {
  const guest = await buildGuest("wild");
  const broken: string[] = [];
  for (const args of lists) {
    const host = await VirtualHost.open(guest, { guestMemoryBytes: 1 << 20 });
    const outcome = await host.run(entry, args).catch((error: unknown) => String(error));
    if (outcome !== 0) broken.push(`${entry}(${args.join(", ")}): wild.c:${String(outcome)}`);
  }
  expect(broken).toEqual([]);
}

function product(...ranges: readonly (readonly number[])[]): number[][] {
  return ranges.reduce<number[][]>(
    (lists, range) => lists.flatMap((list) => range.map((value) => [...list, value])),
    [[]],
  );
}

const upTo = (count: number): number[] => [...Array(count).keys()];

// 0: all that wait are served afterwards; 1: all are canceled.
const ENDS = [0, 1];

test("an item pointer that is wild traps its caller and harms nobody that waits", async () => {
  await eachInItsOwn("wild_item", product(upTo(ITEM_CALLS), [0, 1], ENDS));
});

test("an object pointer that is wild traps its caller and harms nobody that waits", async () => {
  await eachInItsOwn("wild_object", product(upTo(OBJECT_CALLS), ENDS));
});

test("an object that is garbage harms nobody that waits elsewhere", async () => {
  // A started operation is the host's to refuse, and here is none.
  const calls = upTo(OBJECT_CALLS).filter((call) => call !== START_OPERATION);
  await eachInItsOwn("garbage_object", product(calls, [0xaa, 0xff], ENDS));
});

test("half a mutex, forged and copied channels, an odd operation trap their caller", async () => {
  await eachInItsOwn("wild_kinds", product(upTo(KINDS)));
});
