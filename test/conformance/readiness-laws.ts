//! Laws of POLL: it waits until something holds, takes nothing, and tells what holds.

import { expect } from "vitest";
import { OP, OPEN, POLL, SHUTDOWN } from "../../ts/abi.gen.ts";
import type { Law } from "./backend-conformance.ts";
import { errnoName, type Guest, must, text } from "./guest.ts";
import { needing } from "./needing.ts";

const READABLE_OR_WRITABLE = POLL.READABLE | POLL.WRITABLE;

export function readinessLaws(law: Law): void {
  const pollLaw = needing(law, "POLL");
  tellingLaws(pollLaw);
  waitingLaws(pollLaw);
}

function poll(guest: Guest, handle: number, events: number): Promise<number> {
  return guest.submit({ op: OP.POLL, handle, argument: events });
}

function tellingLaws(law: Law): void {
  law("POLL tells what holds of what is asked", async ({ guest }) => {
    const { client, server } = await guest.pair();
    expect(await poll(guest, client, POLL.WRITABLE)).toBe(POLL.WRITABLE);
    expect(await poll(guest, client, READABLE_OR_WRITABLE)).toBe(POLL.WRITABLE);
    must(await guest.write(server, "data"));
    expect(await poll(guest, client, POLL.READABLE)).toBe(POLL.READABLE);
    expect(await poll(guest, client, READABLE_OR_WRITABLE)).toBe(READABLE_OR_WRITABLE);
    // It took nothing.
    expect(text(await guest.readExactly(client, 4))).toBe("data");
  });

  law("POLL finds an end of the stream readable", async ({ guest }) => {
    const { client, server } = await guest.pair();
    must(await guest.shutdown(server, SHUTDOWN.WRITE));
    expect(await poll(guest, client, POLL.READABLE)).toBe(POLL.READABLE);
  });

  law("POLL for no event, or an unknown one, gives -EINVAL", async ({ guest }) => {
    const { client } = await guest.pair();
    for (const events of [0, 16, 0x8000_0000, 0xffff_ffff])
      expect(errnoName(await poll(guest, client, events))).toBe("EINVAL");
  });

  law("POLL of a file gives -EPERM", async ({ guest }) => {
    const file = must(await guest.open("/data/file", OPEN.READ | OPEN.WRITE | OPEN.CREATE));
    expect(errnoName(await poll(guest, file, POLL.READABLE))).toBe("EPERM");
  });

  law("POLL of a forged handle gives -EBADF", async ({ guest }) => {
    const { client } = await guest.pair();
    for (const handle of [0, -1, client + 1000, client ^ (1 << 20), 0x7fff_ffff])
      expect(errnoName(await poll(guest, handle, POLL.READABLE))).toBe("EBADF");
  });

  law(
    "POLL tells that a pipe was closed at its other end, whatever is asked",
    async ({ guest }) => {
      for (const events of [POLL.READABLE, POLL.WRITABLE, POLL.ERROR, POLL.HANG_UP]) {
        const [output, input] = await guest.pipe();
        must(await guest.close(output));
        expect((await poll(guest, input, events)) & POLL.ERROR).toBe(POLL.ERROR);
        const [other, written] = await guest.pipe();
        must(await guest.close(written));
        expect((await poll(guest, other, events)) & POLL.HANG_UP).toBe(POLL.HANG_UP);
      }
    },
    { needs: ["POLL", "PIPE"] },
  );
}

function waitingLaws(law: Law): void {
  law("POLL waits until there is something", async ({ guest, backend }) => {
    const { client, server } = await guest.pair();
    const waiting = poll(guest, client, POLL.READABLE);
    await guest.roundTrip(await guest.pair());
    expect(backend.pending).toBe(1);
    must(await guest.write(server, "x"));
    expect(await waiting).toBe(POLL.READABLE);
  });

  law("POLLs and READs wait side by side, and each is told", async ({ guest }) => {
    const { client, server } = await guest.pair();
    const both = poll(guest, client, POLL.READABLE);
    const again = poll(guest, client, POLL.READABLE);
    const hangUp = guest.start({ op: OP.POLL, handle: client, argument: POLL.HANG_UP });
    const read = guest.read(client, 1);
    await guest.roundTrip(await guest.pair());
    must(await guest.write(server, "xy"));
    expect(await both).toBe(POLL.READABLE);
    expect(await again).toBe(POLL.READABLE);
    expect(text(await read)).toBe("x");
    guest.cancel(hangUp.token);
    expect(errnoName(await hangUp.result)).toBe("ECANCELED");
  });

  law("POLL of a listener waits for a connection, and leaves it to ACCEPT", async ({ guest }) => {
    const listener = must(await guest.listen());
    const waiting = poll(guest, listener, POLL.READABLE);
    const { port } = await guest.localAddress(listener);
    must(await guest.connect(port));
    expect(await waiting).toBe(POLL.READABLE);
    must(await guest.accept(listener));
  });

  law(
    "POLL waits for room",
    async ({ guest }) => {
      const [output, input] = await guest.pipe();
      const ones = guest.put(new Uint8Array(1024 * 1024));
      must(await guest.submit({ op: OP.WRITE, handle: input, ...ones }));
      const waiting = poll(guest, input, POLL.WRITABLE);
      await guest.roundTrip(await guest.pair());
      must(await guest.submit({ op: OP.READ, handle: output, ...ones }));
      expect(await waiting).toBe(POLL.WRITABLE);
    },
    { needs: ["POLL", "PIPE"] },
  );

  law(
    "POLL for an end alone waits for it, whatever else happens",
    async ({ guest, backend }) => {
      const [output, input] = await guest.pipe();
      const [read, written] = await guest.pipe();
      const hangUp = poll(guest, output, POLL.HANG_UP);
      const error = poll(guest, written, POLL.ERROR);
      const pair = await guest.pair();
      must(await guest.write(input, "data"));
      must(await guest.write(written, "data"));
      for (let turn = 0; turn < 5; turn++) await guest.roundTrip(pair);
      expect(text(await guest.readExactly(output, 4))).toBe("data");
      expect(backend.pending).toBe(2);
      must(await guest.close(input));
      expect((await hangUp) & POLL.HANG_UP).toBe(POLL.HANG_UP);
      must(await guest.close(read));
      expect((await error) & POLL.ERROR).toBe(POLL.ERROR);
    },
    { needs: ["POLL", "PIPE"] },
  );

  law("POLL for an end alone is not told of half a one", async ({ guest, backend }) => {
    const { client, server } = await guest.pair();
    const hangUp = poll(guest, client, POLL.HANG_UP);
    await guest.shutdown(server, SHUTDOWN.WRITE);
    expect(await guest.read(client, 1)).toHaveLength(0);
    const { turns } = backend.stats;
    const other = await guest.pair();
    for (let turn = 0; turn < 20; turn++) await guest.roundTrip(other);
    expect(backend.pending).toBe(1);
    // It does not turn round and round meanwhile.
    expect(backend.stats.turns - turns).toBeLessThan(500);
    await guest.shutdown(client, SHUTDOWN.WRITE);
    expect((await hangUp) & POLL.HANG_UP).toBe(POLL.HANG_UP);
  });

  law("CLOSE ends a POLL that waits with -EBADF, and CANCEL with -ECANCELED", async ({ guest }) => {
    for (const events of [POLL.READABLE, POLL.HANG_UP, POLL.ERROR | POLL.READABLE]) {
      const { client, server } = await guest.pair();
      const waiting = poll(guest, client, events);
      const canceled = guest.start({ op: OP.POLL, handle: server, argument: events });
      await guest.roundTrip(await guest.pair());
      guest.cancel(canceled.token);
      expect(errnoName(await canceled.result)).toBe("ECANCELED");
      expect(await guest.close(client)).toBe(0);
      expect(errnoName(await waiting)).toBe("EBADF");
    }
  });
}
