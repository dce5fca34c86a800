import fc from "fast-check";
import { expect, test } from "vitest";
import { CallEvent, EventQueue } from "../../ts/host/sim/event-queue.ts";

test("events come by time, those of one instant in the order in which they were added", () => {
  const times = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 300 });
  fc.assert(
    fc.property(times, (all) => {
      const queue = new EventQueue();
      const order: number[] = [];
      const expected = all.map((time, index) => ({ time, index }));
      for (const { time, index } of expected) {
        queue.add(new CallEvent(() => order.push(index)), time);
      }
      expected.sort((a, b) => a.time - b.time || a.index - b.index);
      for (let event = queue.take(); event !== undefined; event = queue.take()) event.run();
      expect(order).toEqual(expected.map(({ index }) => index));
    }),
  );
});

test("events can be moved and removed at any time", () => {
  const changes = fc.array(
    fc.record({
      event: fc.nat(20),
      time: fc.option(fc.nat(50), { nil: undefined }),
    }),
    { maxLength: 300 },
  );
  fc.assert(
    fc.property(changes, (all) => {
      const queue = new EventQueue();
      const model = new Map<number, { time: number; nth: number }>();
      const order: number[] = [];
      const events = Array.from(
        { length: 21 },
        (_, index) => new CallEvent(() => order.push(index)),
      );
      for (const [nth, { event, time }] of all.entries()) {
        if (time === undefined) {
          queue.remove(events[event]!);
          model.delete(event);
        } else {
          queue.add(events[event]!, time);
          model.set(event, { time, nth });
        }
        expect(queue.size).toBe(model.size);
        expect(queue.firstNs).toBe(Math.min(...[...model.values()].map((entry) => entry.time)));
      }
      for (let event = queue.take(); event !== undefined; event = queue.take()) event.run();
      const expected = [...model].sort(([, a], [, b]) => a.time - b.time || a.nth - b.nth);
      expect(order).toEqual(expected.map(([event]) => event));
      expect(events.some(({ queued }) => queued)).toBe(false);
    }),
  );
});
