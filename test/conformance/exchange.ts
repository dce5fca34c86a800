//! A scripted exchange: operations one after the other, each noted with its result. Handles and ports
//! are noted by names, so that what backends do can be compared line by line.

import { ADDRESS, OP, OPEN, SHUTDOWN } from "../../ts/abi.gen.ts";
import { FILE_SCENES } from "./exchange-files.ts";
import { exchangeGrants } from "./exchange-grants.ts";
import { LOCAL_SCENES } from "./exchange-local.ts";
import { NAME_SCENES } from "./exchange-names.ts";
import { PROCESS_SCENES } from "./exchange-processes.ts";
import { SOCKET_SCENES } from "./exchange-sockets.ts";
import { errnoName, Guest, LOOPBACK, must, text } from "./guest.ts";
import type { Submit } from "./ring-driver.ts";
import type { Setting } from "./setting.ts";

const READ_WRITE_NEW = OPEN.READ | OPEN.WRITE | OPEN.CREATE;

/** Plays all scenes that the backend has the operations for; returns a line for every step. */
export async function recordExchange(setting: Setting): Promise<string[]> {
  const data = `${setting.scratch}/data`;
  await setting.files.makeDirectory(data);
  const backend = await setting.open({ grants: exchangeGrants(data), handlesMax: 64 });
  const recorder = new Recorder(new Guest(backend), setting);
  const scenes = { ...SCENES, ...SOCKET_SCENES, ...FILE_SCENES, ...NAME_SCENES };
  for (const [name, scene] of Object.entries(scenes)) {
    recorder.lines.push(`── ${name}`);
    await scene(recorder);
    await recorder.closeAll();
  }
  const optional = { ...LOCAL_SCENES, ...PROCESS_SCENES };
  for (const [name, { needs, play }] of Object.entries(optional)) {
    if (needs.some((operation) => backend.capability(OP[operation]) === "unsupported")) continue;
    recorder.lines.push(`── ${name}`);
    await play(recorder);
    await recorder.closeAll();
  }
  await backend[Symbol.asyncDispose]();
  return recorder.lines;
}

export class Recorder {
  readonly lines: string[] = [];
  readonly guest: Guest;
  readonly setting: Setting;
  readonly #open = new Set<number>();

  constructor(guest: Guest, setting: Setting) {
    this.guest = guest;
    this.setting = setting;
  }

  /** One operation: notes its result, and what a READ got. */
  async op(title: string, submission: Submit): Promise<number> {
    return this.result(title, this.guest.submit(submission), submission);
  }

  /** The result of an operation that was started before. */
  async result(title: string, started: Promise<number>, submission: Submit): Promise<number> {
    const result = await started;
    const opener = OPENERS.includes(submission.op) && result >= 0;
    if (opener) this.#open.add(result);
    const bytes =
      READS.includes(submission.op) && result > 0 ? this.#bytesOf(submission, result) : "";
    this.lines.push(`${title}: ${opener ? "a handle" : errnoName(result)}${bytes}`);
    return result;
  }

  /** What is not an operation's own result. */
  note(title: string, what: string | number | boolean): void {
    this.lines.push(`${title}: ${what}`);
  }

  read(title: string, handle: number, length = 16): Promise<number> {
    return this.op(title, { op: OP.READ, handle, ...this.guest.put(".".repeat(length)) });
  }

  write(title: string, handle: number, data: string): Promise<number> {
    return this.op(title, { op: OP.WRITE, handle, ...this.guest.put(data) });
  }

  pread(title: string, handle: number, offset: number | bigint, length = 16): Promise<number> {
    const buffer = this.guest.put(".".repeat(length));
    return this.op(title, { op: OP.PREAD, handle, ...buffer, offset });
  }

  pwrite(title: string, handle: number, data: string, offset: number | bigint): Promise<number> {
    return this.op(title, { op: OP.PWRITE, handle, ...this.guest.put(data), offset });
  }

  shutdown(title: string, handle: number, argument: number): Promise<number> {
    return this.op(title, { op: OP.SHUTDOWN, handle, argument });
  }

  async close(title: string, handle: number): Promise<number> {
    this.#open.delete(handle);
    return this.op(title, { op: OP.CLOSE, handle });
  }

  openFile(title: string, path: string, argument: number, mode = 0o644): Promise<number> {
    return this.op(title, { op: OP.OPEN, ...this.guest.put(path), argument, mode });
  }

  connect(title: string, port: number): Promise<number> {
    const pointer = this.guest.putAddress({ bytes: LOOPBACK, port });
    return this.op(title, { op: OP.CONNECT, pointer });
  }

  /** Two ends of a connection, and its listener: not noted. */
  async pair(): Promise<{ client: number; server: number; listener: number; port: number }> {
    const pair = await this.guest.pair();
    for (const handle of [pair.client, pair.server, pair.listener]) this.#open.add(handle);
    return pair;
  }

  /** Lets what is on its way arrive: everything on one machine has, when this resolves. */
  async settle(): Promise<void> {
    const { client, server, listener } = await this.guest.pair();
    for (let round = 0; round < 3; round++) {
      await this.guest.roundTrip({ client, server, listener, port: 0 });
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const handle of [client, server, listener]) must(await this.guest.close(handle));
  }

  /** Handles that an operation has made besides its result. */
  adopt(handles: readonly number[]): void {
    for (const handle of handles) this.#open.add(handle);
  }

  async closeAll(): Promise<void> {
    for (const handle of this.#open) must(await this.guest.close(handle));
    this.#open.clear();
  }

  #bytesOf({ op, pointer, length }: Submit, result: number): string {
    if (op !== OP.READV) return ` "${text(this.guest.bytes(pointer!, result))}"`;
    const pieces = Array.from({ length: length! }, (_, index) => {
      const at = pointer! + 8 * index;
      const piece = this.guest.view.getUint32(at, true);
      return text(this.guest.bytes(piece, this.guest.view.getUint32(at + 4, true)));
    });
    return ` "${pieces.join("").slice(0, result)}"`;
  }
}

const OPENERS: readonly number[] = [
  OP.LISTEN,
  OP.ACCEPT,
  OP.CONNECT,
  OP.OPEN,
  OP.UDP_BIND,
  OP.UNIX_LISTEN,
  OP.UNIX_CONNECT,
  OP.SPAWN,
];
const READS: readonly number[] = [OP.READ, OP.READV, OP.PREAD, OP.RECEIVE_FROM];

const SCENES: Readonly<Record<string, (recorder: Recorder) => Promise<void>>> = {
  async "listening and connecting"(r) {
    const { guest } = r;
    const address = guest.putAddress({ bytes: LOOPBACK, port: 0 });
    const listener = await r.op("LISTEN", { op: OP.LISTEN, pointer: address, argument: 4 });
    const { port } = await guest.localAddress(listener);
    const taken = guest.putAddress({ bytes: LOOPBACK, port });
    await r.op("LISTEN where somebody listens", { op: OP.LISTEN, pointer: taken, argument: 4 });
    const client = await r.connect("CONNECT", port);
    const peerAt = guest.alloc(ADDRESS.size);
    const server = await r.op("ACCEPT", { op: OP.ACCEPT, handle: listener, pointer: peerAt });
    const local = await guest.localAddress(client);
    r.note("ACCEPT tells the client's address", guest.getAddress(peerAt).port === local.port);
    r.note("PEER_ADDRESS of the server", (await guest.peerAddress(server)).port === local.port);
    r.note("PEER_ADDRESS of the client", (await guest.peerAddress(client)).port === port);
    r.note("LOCAL_ADDRESS of the server", (await guest.localAddress(server)).port === port);
    await r.close("CLOSE of the listener", listener);
    await r.connect("CONNECT where nobody listens", port);
    await r.connect("CONNECT to port 0", 0);
    const out = guest.alloc(ADDRESS.size);
    await r.op("LOCAL_ADDRESS of a closed handle", {
      op: OP.LOCAL_ADDRESS,
      handle: listener,
      pointer: out,
    });
    const elsewhere = guest.putAddress({ bytes: [127, 0, 0, 2], port });
    await r.op("CONNECT without a grant", { op: OP.CONNECT, pointer: elsewhere });
    await r.op("LISTEN without a grant", { op: OP.LISTEN, pointer: elsewhere, argument: 1 });
  },

  async "bytes there and back"(r) {
    const { guest } = r;
    const { client, server } = await r.pair();
    await r.write("WRITE", client, "hello, world");
    await r.read("READ of a part", server, 5);
    await r.read("READ of the rest", server, 100);
    const vectors = [guest.put("one "), guest.put(""), guest.put("two")];
    await r.op("WRITEV", {
      op: OP.WRITEV,
      handle: server,
      pointer: guest.iovecs(vectors),
      length: 3,
    });
    const into = [guest.put("--"), guest.put("----------")];
    await r.op("READV", { op: OP.READV, handle: client, pointer: guest.iovecs(into), length: 2 });
    await r.op("READ of nothing", { op: OP.READ, handle: client, pointer: 8, length: 0 });
    await r.op("WRITE of nothing", { op: OP.WRITE, handle: client, pointer: 8, length: 0 });
    await r.op("READ into the wild", { op: OP.READ, handle: client, pointer: -1 >>> 0, length: 9 });
    await r.op("WRITE from the wild", {
      op: OP.WRITE,
      handle: client,
      pointer: -1 >>> 0,
      length: 9,
    });
    await r.op("a vector too long", { op: OP.READV, handle: client, pointer: 8, length: 65 });
    await r.pread("PREAD of a connection", client, 0);
    await r.pwrite("PWRITE of a connection", client, "x", 0);
    await r.op("FSYNC of a connection", { op: OP.FSYNC, handle: client });
    await r.op("ACCEPT on a connection", { op: OP.ACCEPT, handle: client });
  },

  async "half-close by the client"(r) {
    const { client, server } = await r.pair();
    await r.write("WRITE before the end", client, "question");
    await r.shutdown("SHUTDOWN of writing", client, SHUTDOWN.WRITE);
    await r.write("WRITE after it", client, "late");
    await r.settle();
    await r.read("READ of what came before", server);
    await r.read("READ at the end", server);
    await r.read("READ at the end again", server);
    await r.write("WRITE back", server, "answer");
    await r.read("READ of the answer", client);
    await r.shutdown("SHUTDOWN of writing, again", client, SHUTDOWN.WRITE);
    await r.shutdown("SHUTDOWN of the server's writing", server, SHUTDOWN.WRITE);
    await r.settle();
    await r.read("READ at the client's end", client);
    await r.read("READ at the client's end again", client);
    await r.write("WRITE after both ends", server, "too late");
  },

  async "half-close by the server"(r) {
    const { client, server } = await r.pair();
    await r.shutdown("SHUTDOWN of writing", server, SHUTDOWN.WRITE);
    await r.settle();
    await r.read("READ at the end", client);
    await r.write("WRITE there", client, "still");
    await r.read("READ there", server);
    await r.close("CLOSE of the client", client);
    await r.settle();
    await r.read("READ after the client's CLOSE", server);
  },

  async "shutdown of reading"(r) {
    const { guest } = r;
    const { client, server } = await r.pair();
    const read = { op: OP.READ, handle: client, ...guest.put("........") };
    const waiting = guest.submit(read);
    await guest.localAddress(client);
    await r.shutdown("SHUTDOWN of reading", client, SHUTDOWN.READ);
    await r.result("the READ that waited", waiting, read);
    await r.read("READ after it", client);
    await r.write("WRITE after it", client, "still works");
    await r.read("READ at the other end", server);
    await r.shutdown("SHUTDOWN of no direction", client, 7);
  },

  async "a connection that is closed"(r) {
    const { client, server } = await r.pair();
    await r.write("WRITE before the CLOSE", client, "farewell");
    await r.close("CLOSE", client);
    await r.settle();
    await r.read("READ of what was written", server);
    await r.read("READ at the end", server);
    await r.write("WRITE to who has closed", server, "anyone?");
    await r.settle();
    await r.write("WRITE after the answer to that", server, "anyone?");
    await r.read("READ after it", server);
    await r.close("CLOSE of the rest", server);
    await r.close("CLOSE of what is closed", server);
  },

  async "a connection that is closed with bytes unread"(r) {
    const { client, server } = await r.pair();
    await r.write("WRITE that nobody reads", client, "unread");
    await r.write("WRITE the other way", server, "sent before");
    await r.settle();
    await r.close("CLOSE with bytes unread", server);
    await r.settle();
    await r.read("READ of what came before the reset", client);
    await r.read("READ of the reset", client);
    await r.read("READ after the reset", client);
    await r.write("WRITE after the reset", client, "x");
    await r.shutdown("SHUTDOWN after the reset", client, SHUTDOWN.BOTH);
    const pointer = r.guest.alloc(ADDRESS.size);
    await r.op("LOCAL_ADDRESS after it", { op: OP.LOCAL_ADDRESS, handle: client, pointer });
    await r.close("CLOSE after the reset", client);
  },

  async "a reset from outside"(r) {
    const { guest } = r;
    const { handle, peer } = await r.setting.connectPeer(guest);
    const read = { op: OP.READ, handle, ...guest.put("........") };
    const waiting = guest.submit(read);
    await guest.localAddress(handle);
    await peer.reset();
    await r.result("the READ that waited", waiting, read);
    await r.read("READ after it", handle);
    await r.write("WRITE after it", handle, "x");
    await r.close("CLOSE", handle);
    const second = await r.setting.connectPeer(guest);
    await second.peer.reset();
    await r.settle();
    await r.write("WRITE that finds the reset", second.handle, "x");
    await r.write("WRITE after it", second.handle, "x");
    await r.read("READ after it", second.handle);
    await r.close("CLOSE", second.handle);
  },

  async "cancel and close of what waits"(r) {
    const { guest } = r;
    const { client, server, listener } = await r.pair();
    const read = { op: OP.READ, handle: server, ...guest.put("........") };
    const canceled = guest.start(read);
    await guest.localAddress(server);
    guest.cancel(canceled.token);
    await r.result("a READ that is canceled", canceled.result, read);
    await r.write("WRITE after it", client, "for the next");
    await r.read("the next READ", server);
    const accept = { op: OP.ACCEPT, handle: listener };
    const accepting = guest.start(accept);
    await guest.localAddress(listener);
    guest.cancel(accepting.token);
    await r.result("an ACCEPT that is canceled", accepting.result, accept);
    const pending = guest.submit(read);
    const waits = guest.submit(accept);
    await guest.localAddress(server);
    await r.close("CLOSE under a READ", server);
    await r.result("that READ", pending, read);
    await r.close("CLOSE under an ACCEPT", listener);
    await r.result("that ACCEPT", waits, accept);
    await r.settle();
    await r.read("READ at the other end", client);
  },

  async "a listener that goes away"(r) {
    const { guest } = r;
    const { listener, port } = await r.pair();
    const queued = await r.connect("CONNECT that nobody accepts", port);
    await r.close("CLOSE of the listener", listener);
    await r.settle();
    const read = await guest.submit({ op: OP.READ, handle: queued, ...guest.put("....") });
    // A system may send an end, or a reset.
    r.note("READ of the connection that nobody accepted", read <= 0);
    await r.connect("CONNECT after it", port);
  },

  async "a listener, not a connection"(r) {
    const { guest } = r;
    const { listener } = await r.pair();
    await r.read("READ", listener);
    await r.write("WRITE", listener, "x");
    await r.shutdown("SHUTDOWN", listener, SHUTDOWN.BOTH);
    await r.pread("PREAD", listener, 0);
    await r.op("FSYNC", { op: OP.FSYNC, handle: listener });
    const pointer = guest.alloc(ADDRESS.size);
    await r.op("PEER_ADDRESS", { op: OP.PEER_ADDRESS, handle: listener, pointer });
    await r.op("ACCEPT into the wild", { op: OP.ACCEPT, handle: listener, pointer: 0xffff_fff0 });
  },

  async "opening files"(r) {
    await r.openFile("OPEN of what is missing", "/data/file", OPEN.READ);
    await r.openFile("OPEN with CREATE", "/data/file", READ_WRITE_NEW);
    await r.openFile("OPEN with EXCLUSIVE", "/data/file", READ_WRITE_NEW | OPEN.EXCLUSIVE);
    await r.openFile("OPEN for reading", "/data/file", OPEN.READ);
    await r.openFile("OPEN of a directory", "/data", OPEN.READ);
    await r.openFile("OPEN of a directory for writing", "/data", OPEN.WRITE);
    await r.openFile("OPEN of a directory with CREATE", "/data", OPEN.READ | OPEN.CREATE);
    await r.openFile("OPEN below a file", "/data/file/below", OPEN.READ);
    await r.openFile("OPEN of a file with a slash", "/data/file/", OPEN.READ);
    await r.openFile("OPEN below what is missing", "/data/no/file", READ_WRITE_NEW);
    await r.openFile("OPEN outside", "/data/../secret", OPEN.READ);
    await r.openFile("OPEN of no path", "", OPEN.READ);
    await r.openFile("OPEN of a name too long", `/data/${"n".repeat(256)}`, OPEN.READ);
    await r.openFile("OPEN with no direction", "/data/file", OPEN.CREATE);
    await r.openFile("OPEN to truncate without writing", "/data/file", OPEN.READ | OPEN.TRUNCATE);
    await r.openFile("OPEN of a read-only directory for writing", "/readonly/file", OPEN.WRITE);
    await r.openFile("OPEN of a read-only directory", "/readonly/file", OPEN.READ);
    await r.setting.files.makeLink("file", `${r.setting.scratch}/data/link`);
    await r.setting.files.makeLink("link", `${r.setting.scratch}/data/loop-a`);
    await r.setting.files.makeLink("loop", `${r.setting.scratch}/data/loop`);
    await r.openFile("OPEN over a link", "/data/link", OPEN.READ);
    await r.openFile("OPEN over two links", "/data/loop-a", OPEN.READ);
    await r.openFile("OPEN of a link to itself", "/data/loop", OPEN.READ);
    await r.openFile(
      "OPEN of a link with EXCLUSIVE",
      "/data/link",
      READ_WRITE_NEW | OPEN.EXCLUSIVE,
    );
  },

  async "positions in a file"(r) {
    const { guest } = r;
    const file = await r.openFile("OPEN", "/data/positions", READ_WRITE_NEW);
    await r.write("WRITE", file, "0123456789");
    await r.read("READ at the end", file);
    await r.pread("PREAD", file, 3, 4);
    await r.pread("PREAD over the end", file, 7);
    await r.pread("PREAD past the end", file, 1n << 40n);
    await r.pread("PREAD before the start", file, -1n);
    await r.pwrite("PWRITE", file, "ab", 4);
    await r.pwrite("PWRITE past the end", file, "z", 12);
    await r.pread("PREAD over the hole", file, 9);
    await r.write("WRITE where the last ended", file, "xyz");
    await r.pread("PREAD of all", file, 0, 32);
    await r.op("PREAD of nothing", { op: OP.PREAD, handle: file, pointer: 8, length: 0 });
    await r.op("FSYNC", { op: OP.FSYNC, handle: file });
    const pointer = guest.alloc(ADDRESS.size);
    await r.op("LOCAL_ADDRESS of a file", { op: OP.LOCAL_ADDRESS, handle: file, pointer });
    await r.op("ACCEPT on a file", { op: OP.ACCEPT, handle: file });
    await r.shutdown("SHUTDOWN of a file", file, SHUTDOWN.BOTH);
    const reader = await r.openFile("OPEN for reading", "/data/positions", OPEN.READ);
    await r.write("WRITE of what was opened for reading", reader, "x");
    await r.read("READ from the start", reader, 5);
    await r.read("READ from there", reader, 5);
    const writer = await r.openFile("OPEN for writing", "/data/positions", OPEN.WRITE);
    await r.read("READ of what was opened for writing", writer);
    await r.openFile("OPEN with TRUNCATE", "/data/positions", OPEN.WRITE | OPEN.TRUNCATE);
    await r.read("READ after it", reader);
    await r.pread("PREAD after it", reader, 0);
    const directory = await r.openFile("OPEN of a directory", "/data", OPEN.READ);
    await r.read("READ of a directory", directory);
    await r.pwrite("PWRITE of a directory", directory, "x", 0);
    await r.op("FSYNC of a directory", { op: OP.FSYNC, handle: directory });
  },

  async "operations that wait for each other"(r) {
    const { guest } = r;
    const { client, server } = await r.pair();
    const reads = [1, 2, 3].map(() => ({ op: OP.READ, handle: server, ...guest.put("..") }));
    const started = reads.map((read) => guest.submit(read));
    await guest.localAddress(server);
    await r.write("WRITE for three READs", client, "aabbcc");
    for (const [index, read] of reads.entries()) {
      await r.result(`READ ${index + 1}`, started[index]!, read);
    }
    const canceled = guest.start(reads[0]!);
    guest.cancel(canceled.token);
    await r.result("a READ that is canceled in its batch", canceled.result, reads[0]!);
    const grown = { op: OP.READ, handle: server, ...guest.put("........") };
    const reading = guest.submit(grown);
    await guest.localAddress(server);
    guest.grow(1);
    await r.write("WRITE after the memory grew", client, "grown");
    await r.result("the READ that waited", reading, grown);
    await r.op("an unknown operation", { op: 999 });
    await r.op("a forged handle", { op: OP.READ, handle: 12_345, ...guest.put("..") });
  },
};
