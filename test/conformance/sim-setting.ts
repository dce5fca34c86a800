//! A host of a simulated world, as the setting of a law.

import type { SimHost } from "../../ts/host/sim/sim-host.ts";
import { World, type WorldOptions } from "../../ts/host/sim/world.ts";
import { type Guest, LOOPBACK } from "./guest.ts";
import { CAT, SHELL } from "./process-guest.ts";
import type { OutsideFiles, OutsidePeer, Setting } from "./setting.ts";
import { cat, shell } from "./sim-shell.ts";

/** A world of its own, the same every time. */
export async function simSetting(options: WorldOptions): Promise<Setting> {
  const world = new World({ seed: "conformance", ...options });
  const host = world.host("host");
  const scratch = "/scratch";
  host.disk.makeDirectory(scratch);
  host.program(SHELL, shell);
  host.program(CAT, cat);
  return {
    open: (backendOptions) => host.open(backendOptions),
    files: filesOf(host),
    processes: {
      directory: "/",
      exists: (id) => host.processes.some(({ pid }) => pid === id),
    },
    scratch,
    connectPeer: (guest) => connectPeer(host, guest),
    sendDatagram: (text, port) => sendDatagram(host, text, port),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

function filesOf({ disk }: SimHost): OutsideFiles {
  return {
    makeDirectory: async (path) => disk.makeDirectory(path),
    makeLink: async (target, path) => disk.makeLink(target, path),
    write: async (path, content, mode) => disk.writeFile(path, content, mode),
    read: async (path) => disk.readFile(path),
    readText: async (path) => new TextDecoder().decode(disk.readFile(path)),
    list: async (path) => disk.list(path),
    mode: async (path) => disk.mode(path),
  };
}

async function sendDatagram(host: SimHost, text: string, port: number): Promise<number> {
  const bytes = Uint8Array.from(LOOPBACK);
  const socket = host.udp.bind({ bytes, port: 0, scope: 0 });
  if (typeof socket === "number") throw new Error(`no socket to send from: ${socket}`);
  socket.send(new TextEncoder().encode(text), { bytes, port, scope: 0 }, () => {});
  socket.close();
  return socket.local.port;
}

/** The peer is a socket of the host that no process holds. */
async function connectPeer(
  { tcp }: SimHost,
  guest: Guest,
): Promise<{ handle: number; peer: OutsidePeer }> {
  const listener = tcp.listen({ bytes: Uint8Array.from(LOOPBACK), port: 0, scope: 0 }, 1);
  if (typeof listener === "number") throw new Error(`the peer cannot listen: ${listener}`);
  const connected = new Promise<void>((resolve) => {
    listener.onConnection = resolve;
  });
  const handle = await guest.connect(listener.local.port);
  await connected;
  const socket = listener.accept()!;
  listener.close();
  const peer = {
    write: (text: string) => socket.out.write(new TextEncoder().encode(text)),
    reset: async () => socket.abort(),
    close: () => socket.close(),
  };
  return { handle, peer };
}
