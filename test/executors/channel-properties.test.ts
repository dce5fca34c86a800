//! Any number of senders and receivers on any executors, some canceled on the way: every item that a
//! sender says it has sent is received exactly once, those of one sender in their order, and the channel
//! never holds more than its capacity.

import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import type { ExecutorPool } from "../../ts/executors/pool.ts";
import type { PoolTask } from "../../ts/executors/pool-task.ts";
import { guestOfFile } from "../support/guest-of-file.ts";
import { openPool } from "./pools.ts";

const load = guestOfFile("shared-channels");
let pool: ExecutorPool;
beforeAll(async () => {
  pool = await openPool(await load());
  return () => pool[Symbol.asyncDispose]();
});

const SENDER_SHIFT = 16;

const part = fc.record({
  on: fc.constantFrom(0, 1),
  /** Canceled when so many items have arrived. */
  cancelAfter: fc.option(fc.nat({ max: 200 })),
});
const scenario = fc.record({
  capacity: fc.integer({ min: 1, max: 8 }),
  senders: fc.array(fc.record({ part, count: fc.nat({ max: 100 }) }), {
    minLength: 1,
    maxLength: 5,
  }),
  receivers: fc.array(part, { minLength: 1, maxLength: 5 }),
});

interface Received {
  readonly receiver: number;
  readonly item: number;
}

async function play({
  capacity,
  senders,
  receivers,
}: typeof scenario extends fc.Arbitrary<infer S> ? S : never) {
  const channel = pool.channel({ capacity });
  const results = pool.channel({ capacity: 4, item: 8 });
  const receiving = receivers.map(({ on }, number) =>
    pool.spawn("pass_on", [channel.id, results.id, number], { on }),
  );
  const sending = senders.map(({ part: { on }, count }, sender) =>
    pool.spawn("send_range", [channel.id, sender << SENDER_SHIFT, count], { on }),
  );
  const parts: readonly (readonly [PoolTask, number | null])[] = [
    ...sending.map((task, at) => [task, senders[at]!.part.cancelAfter] as const),
    ...receiving.map((task, at) => [task, receivers[at]!.cancelAfter] as const),
  ];
  const received: Received[] = [];
  const took = (): void => {
    expect(channel.count).toBeLessThanOrEqual(capacity);
    for (const [task, after] of parts) if (after === received.length) task.cancel();
  };
  const take = async (): Promise<void> => {
    took();
    for await (const bytes of results) {
      const view = new DataView(bytes.buffer);
      received.push({ receiver: view.getInt32(0, true), item: view.getInt32(4, true) });
      took();
    }
  };
  const taken = take();
  // When every receiver was canceled, senders wait for this thread.
  const receivedAll = Promise.all(receiving);
  void receivedAll.then(async () => {
    for await (const item of channel) received.push({ receiver: -1, item });
  });
  const sent = (await Promise.all(sending)).map(Number);
  channel.close();
  await receivedAll;
  results.close();
  await taken;
  for (let item = await channel.receive(); item !== undefined; item = await channel.receive()) {
    received.push({ receiver: -1, item });
  }
  return { sent, received };
}

test("every item sent is received exactly once, each sender's in order", async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      const { sent, received } = await play(given);
      const expected = sent.flatMap((count, sender) =>
        Array.from({ length: count }, (_, at) => (sender << SENDER_SHIFT) + at),
      );
      expect(received.map(({ item }) => item).toSorted((a, b) => a - b)).toEqual(expected);
      const last = new Map<string, number>();
      for (const { receiver, item } of received) {
        const key = `${receiver} from ${item >> SENDER_SHIFT}`;
        expect(item).toBeGreaterThan(last.get(key) ?? -1);
        last.set(key, item);
      }
    }),
    { numRuns: 200 },
  );
});
