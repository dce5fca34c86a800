//! Descriptors that come over Unix streams from anywhere: what is no handle is closed, and nothing leaks.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OP, SOCKET_TYPE } from "../../ts/abi.gen.ts";
import { type Guest, must, text } from "../conformance/guest.ts";
import { MECHANISMS, withNative } from "./with-native.ts";

const noPython =
  spawnSync("python3", ["-c", "import socket; socket.send_fds"]).status === 0
    ? undefined
    : "there is no python3 that can send descriptors";

/** Sends what no guest can: with each line as many descriptors as it says. */
const PEER = `
import os, socket, sys
peer = socket.socket(socket.AF_UNIX)
peer.connect(sys.argv[1])
pipe = os.pipe()
directory = os.open("/", os.O_RDONLY)
device = os.open("/dev/null", os.O_RDWR)
sequenced = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
for fds in [pipe, [pipe[1]] * 50, [directory], [device], [sequenced[0].fileno()], [pipe[1]]]:
    socket.send_fds(peer, [b"x"], fds)
os.close(pipe[1])
print(os.read(pipe[0], 64).decode(), end="")
`;

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "stackful-passing-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

async function receive(guest: Guest, handle: number): Promise<number> {
  const otherPointer = guest.alloc(4);
  const into = { handle, ...guest.put("?"), otherPointer };
  must(await guest.submit({ op: OP.RECEIVE_HANDLE, ...into }));
  return guest.view.getInt32(otherPointer, true);
}

describe.each(MECHANISMS.filter((name) => name !== "kqueue"))("%s", (mechanism) => {
  const grants = () => ({
    connect: [{}],
    listen: [{}],
    directories: [{ host: directory, guest: "/data" }],
  });

  test.skipIf(noPython !== undefined)(
    `of what another process sends only one descriptor that a guest can have becomes a handle${noPython ? ` [skipped: ${noPython}]` : ""}`,
    async () => {
      await withNative({ mechanism, grants: grants() }, async ({ guest, backend }) => {
        const name = `${mechanism}-peer`;
        const listener = must(await guest.unixListen(`/data/${name}`));
        const peer = spawn("python3", ["-c", PEER, join(directory, name)]);
        const output = peer.stdout.toArray();
        const stream = must(await guest.accept(listener));
        for (let message = 0; message < 5; message++) {
          expect(await receive(guest, stream)).toBe(-1);
        }
        expect(backend.handlesOpen).toBe(2);
        const pipe = await receive(guest, stream);
        await guest.writeAll(pipe, "through the pipe");
        // The end comes only when every duplicate is closed.
        must(await guest.close(pipe));
        expect(text(Buffer.concat(await output))).toBe("through the pipe");
      });
    },
  );

  test("what is in flight at disposal leaves no descriptor", async () => {
    await withNative({ mechanism, grants: grants() }, async ({ guest }) => {
      const [one, other] = await guest.socketPair(SOCKET_TYPE.STREAM);
      const bulk = guest.put(new Uint8Array(4 * 1024 * 1024));
      const started = [
        guest.submit({ op: OP.WRITE, handle: one, ...bulk }),
        guest.submit({ op: OP.WRITE, handle: one, ...bulk }),
        guest.submit({ op: OP.SEND_HANDLE, handle: one, ...guest.put("h"), otherHandle: other }),
        guest.submit({
          op: OP.RECEIVE_HANDLE,
          handle: one,
          ...guest.put("?"),
          otherPointer: guest.alloc(4),
        }),
        guest.unixListen(`/data/${mechanism}-1`),
        guest.unixBind(`/data/${mechanism}-2`),
        guest.unixConnect(`/data/${mechanism}-1`),
        guest.unixSendTo(must(await guest.unixBind("")), "datagram", `/data/${mechanism}-2`),
        guest.submit({ op: OP.READ, handle: (await guest.pipe())[0], ...guest.put("?") }),
      ];
      guest.turn();
      expect(started).toHaveLength(9);
    });
  });

  test("handles that were passed and never received are closed with the stream", async () => {
    await withNative({ mechanism, grants: grants() }, async ({ guest }) => {
      const [one] = await guest.socketPair(SOCKET_TYPE.STREAM);
      for (let count = 0; count < 100; count++) {
        const sent = { op: OP.SEND_HANDLE, handle: one, ...guest.put("h"), otherHandle: one };
        expect(await guest.submit(sent)).toBe(1);
      }
    });
  });
});
