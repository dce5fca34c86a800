//! Laws of how a connection ends: half by half, or by a reset.

import { expect } from "vitest";
import { OP, OPTION, SHUTDOWN } from "../../ts/abi.gen.ts";
import type { Bench, Law } from "./backend-conformance.ts";
import { errnoName, must, text } from "./guest.ts";
import type { OutsidePeer } from "./setting.ts";

export function endLaws(law: Law): void {
  halfCloseLaws(law);
  resetLaws(law);
}

function halfCloseLaws(law: Law): void {
  law("READ gives 0 at the end, every time", async ({ guest }) => {
    const { client, server } = await guest.pair();
    must(await guest.close(client));
    expect(await guest.read(server, 8)).toHaveLength(0);
    expect(await guest.read(server, 8)).toHaveLength(0);
  });

  for (const side of ["client", "server"] as const) {
    const other = side === "client" ? "server" : "client";
    law(`SHUTDOWN of writing at the ${side} leaves the other direction open`, async ({ guest }) => {
      const pair = await guest.pair();
      await guest.writeAll(pair[side], "question");
      expect(await guest.shutdown(pair[side], SHUTDOWN.WRITE)).toBe(0);
      expect(text(await guest.readToEnd(pair[other]))).toBe("question");
      await guest.writeAll(pair[other], "answer");
      must(await guest.close(pair[other]));
      expect(text(await guest.readToEnd(pair[side]))).toBe("answer");
    });
  }

  law("WRITE after SHUTDOWN of writing gives -EPIPE", async ({ guest }) => {
    for (const how of [SHUTDOWN.WRITE, SHUTDOWN.BOTH]) {
      const { client } = await guest.pair();
      expect(await guest.shutdown(client, how)).toBe(0);
      expect(errnoName(await guest.write(client, "late"))).toBe("EPIPE");
    }
  });

  law("SHUTDOWN of reading ends READs, waiting and later ones, with 0", async ({ guest }) => {
    for (const how of [SHUTDOWN.READ, SHUTDOWN.BOTH]) {
      const { client } = await guest.pair();
      const waiting = guest.read(client, 8);
      expect(await guest.shutdown(client, how)).toBe(0);
      expect(await waiting).toHaveLength(0);
      expect(await guest.read(client, 8)).toHaveLength(0);
    }
  });

  law("SHUTDOWN of reading leaves writing open", async ({ guest }) => {
    const { client, server } = await guest.pair();
    expect(await guest.shutdown(client, SHUTDOWN.READ)).toBe(0);
    await guest.writeAll(client, "still");
    expect(text(await guest.readExactly(server, 5))).toBe("still");
  });

  law("SHUTDOWN of no known direction gives -EINVAL", async ({ guest }) => {
    const { client } = await guest.pair();
    for (const how of [3, 255, 0xffff_ffff]) {
      expect(errnoName(await guest.shutdown(client, how))).toBe("EINVAL");
    }
  });
}

function resetLaws(law: Law): void {
  law("a reset by the peer ends a waiting READ with -ECONNRESET", async (bench) => {
    const { guest } = bench;
    await withOutsidePeer(bench, async (handle, peer) => {
      const { pointer, length } = guest.put("........");
      const waiting = guest.submit({ op: OP.READ, handle, pointer, length });
      void peer.reset();
      expect(errnoName(await waiting)).toBe("ECONNRESET");
    });
  });

  law("a reset by the peer is told to the next READ", async (bench) => {
    const { guest } = bench;
    await withOutsidePeer(bench, async (handle, peer) => {
      await peer.reset();
      const { pointer, length } = guest.put("........");
      const result = await guest.submit({ op: OP.READ, handle, pointer, length });
      expect(errnoName(result)).toBe("ECONNRESET");
    });
  });

  law(
    "a reset is told once, whether at once or not: then a stream is at its end",
    async (bench) => {
      const { guest, backend } = bench;
      const other = await guest.pair();
      const { client, server } = await guest.pair();
      // What nobody has read resets a connection, too.
      must(await guest.setOption(client, OPTION.LINGER, 0));
      await guest.writeAll(server, "unread");
      must(await guest.close(client));
      const read = { op: OP.READ, handle: server, ...guest.put("????") };
      let told = "EAGAIN";
      while (backend.attempt !== undefined && told === "EAGAIN") {
        told = errnoName(guest.attempt(read));
        await guest.roundTrip(other);
      }
      if (told === "EAGAIN") told = errnoName(await guest.submit(read));
      expect(told).toBe("ECONNRESET");
      for (let again = 0; again < 2; again++) expect(await guest.submit(read)).toBe(0);
      expect(errnoName(await guest.write(server, "lost"))).toBe("EPIPE");
    },
    { needs: ["SET_OPTION"] },
  );

  law("WRITE to a peer that has closed ends in -EPIPE or -ECONNRESET", async (bench) => {
    const { guest } = bench;
    await withOutsidePeer(bench, async (handle, peer) => {
      peer.close();
      let result = 0;
      while (result >= 0) result = await guest.write(handle, "anyone?");
      expect(["EPIPE", "ECONNRESET"]).toContain(errnoName(result));
    });
  });

  law("a reset leaves the handle open until its CLOSE", async (bench) => {
    const { guest, backend } = bench;
    await withOutsidePeer(bench, async (handle, peer) => {
      void peer.reset();
      await guest.submit({ op: OP.READ, handle, ...guest.put("........") });
      expect(backend.handlesOpen).toBe(1);
      expect(await guest.close(handle)).toBe(0);
      expect(backend.handlesOpen).toBe(0);
    });
  });
}

/** Connects the guest to a socket that the law holds at the other end, outside any backend. */
export async function withOutsidePeer(
  { guest, setting }: Bench,
  body: (handle: number, peer: OutsidePeer) => Promise<void>,
): Promise<void> {
  const { handle, peer } = await setting.connectPeer(guest);
  try {
    await body(must(handle), peer);
  } finally {
    peer.close();
  }
}
