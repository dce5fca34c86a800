//! Laws of STDIO that need no streams of their own: those are in stdio.test.ts, and what a terminal does too.

import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { expect } from "vitest";
import { OP, OPEN, TERMINAL_MODE, TERMINAL_SIZE } from "../../ts/abi.gen.ts";
import { childCommand } from "../support/child.ts";
import type { Law } from "./backend-conformance.ts";
import { errnoName, type Guest, must } from "./guest.ts";

/** More than a pipe takes at once. */
const SENT = "what is sent\n".repeat(10_000);

export function stdioLaws(law: Law): void {
  const stdioLaw: Law = (title, body, options) =>
    law(title, body, { needs: ["STDIO"], ...options });

  stdioLaw(
    "each of the host's own streams is granted by itself",
    async ({ guest }) => {
      expect(errnoName(await stdio(guest, 0))).toBe("ENOTCAPABLE");
      expect(errnoName(await stdio(guest, 1))).toBe("ENOTCAPABLE");
      must(await guest.close(must(await stdio(guest, 2))));
    },
    { grants: () => ({ stdio: [2] }) },
  );

  stdioLaw(
    "STDIO without a grant gives -ENOTCAPABLE, and -EINVAL beyond the third stream",
    async ({ guest }) => {
      for (const number of [0, 1, 2]) {
        expect(errnoName(await stdio(guest, number))).toBe("ENOTCAPABLE");
      }
      for (const number of [3, 0x7fff_ffff, 0xffff_ffff]) {
        expect(errnoName(await stdio(guest, number))).toBe("EINVAL");
      }
    },
    { grants: () => ({}) },
  );

  stdioLaw(
    "STDIO beyond the limit of handles gives -EMFILE, and takes nothing",
    async ({ guest, backend }) => {
      const first = must(await stdio(guest, 2));
      expect(errnoName(await stdio(guest, 2))).toBe("EMFILE");
      expect(backend.handlesOpen).toBe(1);
      must(await guest.close(first));
      must(await guest.close(must(await stdio(guest, 2))));
    },
    { handlesMax: 1 },
  );

  ownLaws(stdioLaw);

  law(
    "what is no terminal has no size and no mode: -ENOTTY",
    async ({ guest }) => {
      const { listener, client } = await guest.pair();
      const file = must(await guest.open("/data/file", OPEN.WRITE | OPEN.CREATE));
      const pointer = guest.alloc(TERMINAL_SIZE.size);
      for (const handle of [listener, client, file, (await guest.udp()).handle]) {
        const answer = async (op: number, argument = 0) =>
          errnoName(await guest.submit({ op, handle, pointer, argument }));
        expect(await answer(OP.TERMINAL_SIZE)).toBe("ENOTTY");
        expect(await answer(OP.TERMINAL_MODE, TERMINAL_MODE.COOKED)).toBe("ENOTTY");
        expect(await answer(OP.TERMINAL_MODE, TERMINAL_MODE.RAW)).toBe("ENOTTY");
        expect(await answer(OP.TERMINAL_MODE, 2)).toBe("EINVAL");
      }
      const beyond = guest.memory.buffer.byteLength - TERMINAL_SIZE.size + 1;
      const wild = { op: OP.TERMINAL_SIZE, handle: client, pointer: beyond };
      expect(errnoName(await guest.submit(wild))).toBe("EFAULT");
    },
    { needs: ["TERMINAL_SIZE", "TERMINAL_MODE"] },
  );
}

function ownLaws(law: Law): void {
  law("what is written to the process is read from its input, and ends", async ({ child }) => {
    const [command, args] = childCommand("conformance/child.ts", [child, "echoing"]);
    const running = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    const exit = once(running, "exit");
    const output = readAll(running.stdout);
    running.stdin.end(SENT);
    expect(await output).toBe(SENT);
    expect(await exit).toEqual([0, null]);
  });
}

async function readAll(stream: Readable): Promise<string> {
  let all = "";
  for await (const piece of stream.setEncoding("utf8")) all += piece;
  return all;
}

function stdio(guest: Guest, argument: number): Promise<number> {
  return guest.submit({ op: OP.STDIO, argument });
}
