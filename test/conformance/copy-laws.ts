//! Laws of COPY and SEND_FILE: the bytes of a file go elsewhere without the guest's memory.

import { join } from "node:path/posix";
import { expect } from "vitest";
import { OP, OPEN } from "../../ts/abi.gen.ts";
import type { Bench, Law } from "./backend-conformance.ts";
import { errnoName, type Guest, must, pattern } from "./guest.ts";
import type { Submit } from "./ring-driver.ts";

const READ_WRITE_NEW = OPEN.READ | OPEN.WRITE | OPEN.CREATE;

export function copyLaws(law: Law): void {
  copyFileLaws(law);
  sendLaws(law);
}

/** A file with these bytes, open for reading, and an empty one, open for writing. */
async function twoFiles(
  { guest, files, data }: Bench,
  content: Uint8Array,
): Promise<{ from: number; to: number }> {
  await files.write(join(data, "from"), content);
  const from = must(await guest.open("/data/from", OPEN.READ));
  return { from, to: must(await guest.open("/data/to", READ_WRITE_NEW)) };
}

function copy(
  from: number,
  fromOffset: number,
  to: number,
  toOffset: number,
  length: number,
): Submit {
  return {
    op: OP.COPY,
    handle: from,
    offset: fromOffset,
    otherHandle: to,
    otherOffset: toOffset,
    length,
  };
}

function copyFileLaws(law: Law): void {
  law("COPY moves a file's bytes, in as many pieces as it takes", async (bench) => {
    const { guest, files, data } = bench;
    const content = pattern(700_001);
    const { from, to } = await twoFiles(bench, content);
    for (let done = 0; done < content.length; ) {
      const count = must(await guest.submit(copy(from, done, to, done, 0xffff_ffff)));
      expect(count).toBeGreaterThan(0);
      done += count;
    }
    expect(await guest.submit(copy(from, content.length, to, 0, 100))).toBe(0);
    expect(await guest.submit(copy(from, content.length + 5000, to, 0, 100))).toBe(0);
    expect(Buffer.compare(await files.read(join(data, "to")), content)).toBe(0);
  });

  law("COPY moves no more than asked, from where and to where it is told", async (bench) => {
    const { guest, files, data } = bench;
    const { from, to } = await twoFiles(bench, pattern(1000));
    expect(await guest.pwrite(to, "head", 0)).toBe(4);
    let done = 0;
    while (done < 50)
      done += must(await guest.submit(copy(from, 100 + done, to, 10 + done, 50 - done)));
    expect(done).toBe(50);
    const expected = new Uint8Array(60);
    expected.set(new TextEncoder().encode("head"));
    expected.set(pattern(1000).subarray(100, 150), 10);
    expect([...(await files.read(join(data, "to")))]).toEqual([...expected]);
  });

  law("COPY leaves the positions of both files alone", async (bench) => {
    const { guest, files, data } = bench;
    const { from, to } = await twoFiles(bench, pattern(100));
    expect(must(await guest.submit(copy(from, 0, to, 50, 50)))).toBeGreaterThan(0);
    expect([...(await guest.read(from, 1))]).toEqual([pattern(1)[0]]);
    expect(await guest.write(to, "x")).toBe(1);
    expect((await files.read(join(data, "to")))[0]).toBe("x".charCodeAt(0));
  });

  law("COPY within one file gives -EINVAL when the ranges overlap", async (bench) => {
    const { guest, files, data } = bench;
    await files.write(join(data, "file"), pattern(1000));
    const one = must(await guest.open("/data/file", OPEN.READ | OPEN.WRITE));
    const two = must(await guest.open("/data/file", OPEN.READ | OPEN.WRITE));
    for (const to of [one, two]) {
      expect(errnoName(await guest.submit(copy(one, 0, to, 99, 100)))).toBe("EINVAL");
      expect(errnoName(await guest.submit(copy(one, 99, to, 0, 100)))).toBe("EINVAL");
      expect(must(await guest.submit(copy(one, 0, to, 100, 100)))).toBeGreaterThan(0);
    }
    expect(
      Buffer.compare((await files.read(join(data, "file"))).subarray(0, 100), pattern(100)),
    ).toBe(0);
  });

  law("COPY refuses what cannot be read from or written to", async (bench) => {
    const { guest } = bench;
    const { from, to } = await twoFiles(bench, pattern(10));
    const writer = must(await guest.open("/data/from", OPEN.WRITE));
    const appending = must(await guest.open("/data/to", OPEN.WRITE | OPEN.APPEND));
    const directory = must(await guest.open("/data", OPEN.READ));
    const { client } = await guest.pair();
    const { handle: udp } = await guest.udp();
    const tried = async (submission: Submit): Promise<string> =>
      errnoName(await guest.submit(submission));
    expect(await tried(copy(writer, 0, to, 0, 10))).toBe("EBADF");
    expect(await tried(copy(from, 0, from, 5, 5))).toBe("EBADF");
    expect(await tried(copy(from, 0, appending, 0, 10))).toBe("EBADF");
    expect(await tried(copy(directory, 0, to, 0, 10))).toBe("EISDIR");
    expect(await tried(copy(from, 0, directory, 0, 10))).toBe("EISDIR");
    expect(await tried(copy(client, 0, to, 0, 10))).toBe("EINVAL");
    expect(await tried(copy(udp, 0, to, 0, 10))).toBe("EINVAL");
    expect(await tried(copy(from, 0, client, 0, 10))).toBe("EINVAL");
    expect(await tried(copy(from, -1, to, 0, 10))).toBe("EINVAL");
    expect(await tried(copy(from, 0, to, -1, 10))).toBe("EINVAL");
    for (const forged of [-1, 0, 1, to + 1000, to ^ (1 << 20), -0x8000_0000]) {
      expect(await tried(copy(from, 0, forged, 0, 10))).toBe("EBADF");
    }
    expect(await guest.submit(copy(from, 0, to, 0, 0))).toBe(0);
  });

  law("CLOSE of a COPY's files lets it end, and each once", async (bench) => {
    const { guest, backend } = bench;
    const { from, to } = await twoFiles(bench, pattern(100_000));
    const copies = Array.from({ length: 8 }, (_, index) =>
      guest.submit(copy(from, 0, to, index * 100_000, 100_000)),
    );
    const closed = Promise.all([guest.close(to), guest.close(from)]);
    for (const result of await Promise.all(copies)) {
      if (result < 0) expect(errnoName(result)).toBe("EBADF");
    }
    expect(await closed).toEqual([0, 0]);
    expect(backend.pending).toBe(0);
  });
}

function send(stream: number, file: number, offset: number, length: number): Submit {
  return { op: OP.SEND_FILE, handle: stream, otherHandle: file, otherOffset: offset, length };
}

async function file({ guest, files, data }: Bench, content: Uint8Array): Promise<number> {
  await files.write(join(data, "file"), content);
  return must(await guest.open("/data/file", OPEN.READ));
}

async function sendAll(guest: Guest, stream: number, handle: number, bytes: number): Promise<void> {
  for (let done = 0; done < bytes; ) {
    const count = must(await guest.submit(send(stream, handle, done, bytes - done)));
    expect(count).toBeGreaterThan(0);
    done += count;
  }
}

function sendLaws(law: Law): void {
  law("SEND_FILE sends a file's bytes, in as many pieces as it takes", async (bench) => {
    const { guest } = bench;
    const content = pattern(3_000_001);
    const handle = await file(bench, content);
    const { client, server } = await guest.pair();
    const received = guest.readToEnd(server);
    await sendAll(guest, client, handle, content.length);
    expect(await guest.submit(send(client, handle, content.length, 100))).toBe(0);
    expect(await guest.submit(send(client, handle, content.length + 5000, 100))).toBe(0);
    expect(await guest.submit(send(client, handle, 0, 0))).toBe(0);
    expect(await guest.close(client)).toBe(0);
    expect(Buffer.compare(await received, content)).toBe(0);
  });

  law("SEND_FILE leaves the file's position alone, and sends no more than asked", async (bench) => {
    const { guest } = bench;
    const handle = await file(bench, pattern(1000));
    const { client, server } = await guest.pair();
    const count = must(await guest.submit(send(client, handle, 10, 20)));
    expect(count).toBeLessThanOrEqual(20);
    expect(await guest.close(client)).toBe(0);
    expect([...(await guest.readToEnd(server))]).toEqual([
      ...pattern(1000).subarray(10, 10 + count),
    ]);
    expect([...(await guest.read(handle, 1))]).toEqual([pattern(1)[0]]);
  });

  law("SEND_FILEs and WRITEs on one connection go out in order", async (bench) => {
    const { guest } = bench;
    const handle = await file(bench, new TextEncoder().encode("abcdefgh"));
    const { client, server } = await guest.pair();
    const started = [];
    for (let index = 0; index < 8; index++) {
      started.push(guest.submit(send(client, handle, index, 1)), guest.write(client, "-"));
    }
    expect(new Set(await Promise.all(started))).toEqual(new Set([1]));
    expect(await guest.close(client)).toBe(0);
    expect(new TextDecoder().decode(await guest.readToEnd(server))).toBe("a-b-c-d-e-f-g-h-");
  });

  law("SEND_FILEs that wait for a peer that does not read can be canceled", async (bench) => {
    const { guest, backend } = bench;
    const content = pattern(256 * 1024);
    const handle = await file(bench, content);
    const { client, server } = await guest.pair();
    const started = Array.from({ length: 64 }, () =>
      guest.start(send(client, handle, 0, content.length)),
    );
    await guest.roundTrip(await guest.pair());
    for (const { token } of started) guest.cancel(token);
    const results = await Promise.all(started.map(({ result }) => result));
    const failed = results.filter((result) => result < 0).map(errnoName);
    expect(new Set(failed)).toEqual(new Set(["ECANCELED"]));
    expect(backend.pending).toBe(0);
    expect(await guest.close(client)).toBe(0);
    const sent = results.reduce((sum, result) => sum + Math.max(0, result), 0);
    expect(await guest.readToEnd(server)).toHaveLength(sent);
  });

  law("CLOSE ends the SEND_FILEs that wait on its stream with -EBADF", async (bench) => {
    const { guest } = bench;
    const content = pattern(256 * 1024);
    const handle = await file(bench, content);
    const { client } = await guest.pair();
    const started = Array.from({ length: 64 }, () =>
      guest.submit(send(client, handle, 0, content.length)),
    );
    await guest.roundTrip(await guest.pair());
    expect(await guest.close(client)).toBe(0);
    const failed = (await Promise.all(started)).filter((result) => result < 0).map(errnoName);
    expect(new Set(failed)).toEqual(new Set(["EBADF"]));
  });

  law(
    "SEND_FILE to a pipe sends what there is room for, in line with WRITEs",
    async (bench) => {
      const { guest } = bench;
      const content = pattern(1_000_001);
      const handle = await file(bench, content);
      const [output, input] = await guest.pipe();
      const received = guest.readToEnd(output);
      must(await guest.write(input, "first"));
      await sendAll(guest, input, handle, content.length);
      expect(await guest.close(input)).toBe(0);
      const all = Buffer.concat([Buffer.from("first"), content]);
      expect(Buffer.compare(await received, all)).toBe(0);
    },
    { needs: ["SEND_FILE", "PIPE"] },
  );

  law(
    "SEND_FILE to a pipe that nobody reads gives -EPIPE, and one that waits can be canceled",
    async (bench) => {
      const { guest } = bench;
      const handle = await file(bench, pattern(256 * 1024));
      const [output, input] = await guest.pipe();
      const started = Array.from({ length: 4 }, () => guest.start(send(input, handle, 0, 262_144)));
      await guest.roundTrip(await guest.pair());
      for (const { token } of started) guest.cancel(token);
      const results = await Promise.all(started.map(({ result }) => result));
      expect(errnoName(results.at(-1)!)).toBe("ECANCELED");
      must(await guest.close(output));
      expect(errnoName(await guest.submit(send(input, handle, 0, 10)))).toBe("EPIPE");
    },
    { needs: ["SEND_FILE", "PIPE"] },
  );

  law("SEND_FILE goes on although the file's handle is closed", async (bench) => {
    const { guest } = bench;
    const handle = await file(bench, pattern(100));
    const { client, server } = await guest.pair();
    const sending = guest.submit(send(client, handle, 0, 100));
    expect(await guest.close(handle)).toBe(0);
    const count = must(await sending);
    expect(count).toBeGreaterThan(0);
    expect(await guest.close(client)).toBe(0);
    expect(Buffer.compare(await guest.readToEnd(server), pattern(100).subarray(0, count))).toBe(0);
  });

  law("SEND_FILE refuses what is no stream, and what is no file", async (bench) => {
    const { guest } = bench;
    const handle = await file(bench, pattern(10));
    const writer = must(await guest.open("/data/file", OPEN.WRITE));
    const directory = must(await guest.open("/data", OPEN.READ));
    const { client, listener } = await guest.pair();
    const { handle: udp } = await guest.udp();
    const tried = async (submission: Submit): Promise<string> =>
      errnoName(await guest.submit(submission));
    expect(await tried(send(listener, handle, 0, 1))).toBe("ENOTCONN");
    expect(await tried(send(udp, handle, 0, 1))).toBe("EDESTADDRREQ");
    expect(await tried(send(handle, handle, 0, 1))).toBe("ENOTSOCK");
    expect(await tried(send(directory, handle, 0, 1))).toBe("ENOTSOCK");
    expect(await tried(send(client, directory, 0, 1))).toBe("EISDIR");
    expect(await tried(send(client, client, 0, 1))).toBe("EINVAL");
    expect(await tried(send(client, writer, 0, 1))).toBe("EBADF");
    expect(await tried(send(client, handle, -1, 1))).toBe("EINVAL");
    for (const forged of [-1, 0, 1, handle + 1000, handle ^ (1 << 20)]) {
      expect(await tried(send(client, forged, 0, 1))).toBe("EBADF");
      expect(await tried(send(forged, handle, 0, 1))).toBe("EBADF");
    }
  });
}
