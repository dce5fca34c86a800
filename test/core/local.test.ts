import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { OP } from "../../ts/abi.gen.ts";
import type { Backend, BackendProvider } from "../../ts/host/backend.ts";
import type { OperationName } from "../../ts/host/capability.ts";
import { openNodeBackend } from "../../ts/host/node/node-backend.ts";
import { World } from "../../ts/host/sim/world.ts";
import { openMechanism } from "../native/other-host.ts";
import { guestOfFile } from "../support/guest-of-file.ts";
import { withRuntime } from "../support/runtime.ts";
import { unavailable } from "../support/unavailable.ts";

const load = guestOfFile("local");

/** Each law of local.c, and what it needs. */
const LAWS: Readonly<Record<string, readonly OperationName[]>> = {
  pipe_streams: ["PIPE"],
  pair_streams: ["SOCKET_PAIR"],
  unix_streams: ["UNIX_LISTEN", "UNIX_CONNECT"],
  pipe_times_out: ["PIPE"],
  datagrams: ["UNIX_BIND", "UNIX_SEND_TO"],
  handles_pass: ["SEND_HANDLE", "RECEIVE_HANDLE", "POLL", "PIPE", "SOCKET_PAIR"],
};

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stackful-local-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Tells what it opened, so that a law can be skipped by what it lacks. */
function telling(provider: BackendProvider, onOpen: (backend: Backend) => void): BackendProvider {
  return {
    async open(options) {
      const backend = await provider.open(options);
      onOpen(backend);
      return backend;
    },
  };
}

const PROVIDERS: Readonly<Record<string, BackendProvider>> = {
  uring: { open: async (options) => openMechanism("uring", options) },
  epoll: { open: async (options) => openMechanism("epoll", options) },
  node: { open: openNodeBackend },
};

for (const [name, provider] of Object.entries(PROVIDERS)) {
  const reason = await unavailable((options) => provider.open(options));
  describe(`local sockets between tasks on ${name}`, () => {
    for (const [entry, needs] of Object.entries(LAWS)) {
      test(`${entry.replaceAll("_", " ")}`, async ({ skip }) => {
        if (reason !== undefined) skip(reason);
        let missing: string | undefined;
        const backend = telling(provider, (opened) => {
          missing = needs.find((op) => opened.capability(OP[op]) === "unsupported");
        });
        const grants = { directories: [{ host: directory, guest: "/data" }] };
        await withRuntime(await load(), { backend, grants }, async (runtime) => {
          if (missing !== undefined) return;
          const line = await runtime.spawn(entry);
          expect(line, `the law broken at local.c:${String(line)}`).toBe(0);
        });
        if (missing !== undefined) skip(`unsupported on ${name}: ${missing}`);
      });
    }
  });
}

describe("local sockets between tasks in a simulated world", () => {
  for (const entry of Object.keys(LAWS).filter((law) => law !== "handles_pass")) {
    test(`${entry.replaceAll("_", " ")}`, async () => {
      await using world = new World({ seed: 1 });
      const backend = world.host("host");
      backend.disk.makeDirectory("/data");
      const grants = { directories: [{ host: "/data", guest: "/data" }] };
      await withRuntime(await load(), { backend, grants }, async (runtime) => {
        const line = await runtime.spawn(entry);
        expect(line, `the law broken at local.c:${String(line)}`).toBe(0);
      });
    });
  }
});
