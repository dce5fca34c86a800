//! Where a law is tried: how backends are opened there, and what is around them. Files and peers are
//! reached here without a backend, so that a law can compare what the guest sees with what is there.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import * as fs from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Backend, BackendOptions } from "../../ts/host/backend.ts";
import type { Guest } from "./guest.ts";
import { exists } from "./process-guest.ts";

export interface Setting extends AsyncDisposable {
  open(options: BackendOptions): Promise<Backend>;
  readonly files: OutsideFiles;
  readonly processes: OutsideProcesses;
  /** An empty directory that is this law's alone. */
  readonly scratch: string;
  /** Connects the guest, which must be allowed to, to a socket outside any backend. */
  connectPeer(guest: Guest): Promise<{ handle: number; peer: OutsidePeer }>;
  /** Sends a datagram to the loopback port, from outside any backend; returns the port it came from. */
  sendDatagram(text: string, port: number): Promise<number>;
}

/** Paths are those that grants name. */
export interface OutsideFiles {
  makeDirectory(path: string): Promise<void>;
  /** A link that leads to `target`. */
  makeLink(target: string, path: string): Promise<void>;
  /** @param mode - Permission bits of a file that is made. */
  write(path: string, content: string | Uint8Array, mode?: number): Promise<void>;
  read(path: string): Promise<Uint8Array>;
  readText(path: string): Promise<string>;
  /** Names in a directory, sorted. */
  list(path: string): Promise<string[]>;
  /** Permission bits. */
  mode(path: string): Promise<number>;
}

/** What runs on the machine. */
export interface OutsideProcesses {
  /** Where the host is, and its children when nobody says where. */
  readonly directory: string;
  /** Whether there is such a process, be it a zombie. */
  exists(pid: number): boolean;
}

export interface OutsidePeer {
  write(text: string): void;
  /** Resolves when the reset has left. */
  reset(): Promise<void>;
  close(): void;
}

/** The machine that runs the tests. */
export async function thisMachine(open: Setting["open"]): Promise<Setting> {
  const scratch = await fs.realpath(await fs.mkdtemp(join(tmpdir(), "stackful-conformance-")));
  return {
    open,
    files: HOST_FILES,
    processes: HOST_PROCESSES,
    scratch,
    connectPeer,
    sendDatagram,
    [Symbol.asyncDispose]: () => fs.rm(scratch, { recursive: true }),
  };
}

const HOST_FILES: OutsideFiles = {
  makeDirectory: async (path) => void (await fs.mkdir(path)),
  makeLink: (target, path) => fs.symlink(target, path),
  write: (path, content, mode) => fs.writeFile(path, content, mode === undefined ? {} : { mode }),
  read: async (path) => new Uint8Array(await fs.readFile(path)),
  readText: (path) => fs.readFile(path, "utf8"),
  list: async (path) => (await fs.readdir(path)).sort(),
  mode: async (path) => (await fs.stat(path)).mode & 0o777,
};

const HOST_PROCESSES: OutsideProcesses = { directory: process.cwd(), exists };

async function sendDatagram(text: string, port: number): Promise<number> {
  const socket = createSocket("udp4");
  await promisify<string, number, string>(socket.send.bind(socket))(text, port, "127.0.0.1");
  const source = socket.address().port;
  socket.close();
  return source;
}

async function connectPeer(guest: Guest): Promise<{ handle: number; peer: OutsidePeer }> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const connection = once(server, "connection");
  const handle = await guest.connect((server.address() as AddressInfo).port);
  const [socket] = (await connection) as [Socket];
  server.close();
  socket.on("error", () => {});
  const peer = {
    write: (text: string) => void socket.write(text),
    reset: async () => {
      socket.resetAndDestroy();
      await once(socket, "close");
    },
    close: () => void socket.destroy(),
  };
  return { handle, peer };
}
