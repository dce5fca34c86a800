import { describe, expect, test } from "vitest";
import { ERRNO, OP } from "../../ts/abi.gen.ts";
import type { Backend } from "../../ts/host/backend.ts";
import { openNone } from "../../ts/host/none/none-backend.ts";
import { type DriverOptions, RingDriver } from "./ring-driver.ts";

async function withNone(
  options: DriverOptions,
  body: (guest: RingDriver, backend: Backend) => Promise<void>,
): Promise<void> {
  const backend = await openNone({ grants: {}, handlesMax: 16 });
  await body(new RingDriver(backend, options), backend);
  await backend[Symbol.asyncDispose]();
  expect(backend.pending).toBe(0);
}

// Not the suite of the other backends: its laws begin with an operation that succeeds.
describe("none backend", () => {
  test("every operation completes with ENOSYS", async () => {
    await withNone({}, async (guest, backend) => {
      for (const op of [...Object.values(OP), 0, 60_000]) {
        if (op === OP.CANCEL) continue;
        expect(backend.capability(op)).toBe("unsupported");
        expect(await guest.submit({ op })).toBe(-ERRNO.ENOSYS);
      }
      expect(backend.stats.completions).toBe(guest.log.length);
      expect(backend.pending).toBe(0);
    });
  });

  test("a CANCEL completes nothing", async () => {
    await withNone({}, async (guest, backend) => {
      guest.cancel(7);
      guest.turn();
      expect(guest.log).toEqual([]);
      expect(backend.pending).toBe(0);
    });
  });

  test("what the completion ring has no room for is pending, and comes when it has", async () => {
    await withNone({ capacity: 4 }, async (guest, backend) => {
      guest.automatic = false;
      for (let index = 0; index < 4; index++) guest.add({ op: OP.READ });
      expect(backend.turn(0)).toBe(4);
      for (let index = 0; index < 4; index++) guest.add({ op: OP.READ });
      expect(backend.turn(0)).toBe(0);
      expect(backend.pending).toBe(4);
      guest.drain();
      guest.turn();
      expect(guest.log.map(({ token }) => token)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    });
  });
});
