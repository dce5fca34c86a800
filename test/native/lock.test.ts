//! Locks of open files against those of another program: flock(1) of util-linux.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LOCK, OP, OPEN } from "../../ts/abi.gen.ts";
import { errnoName, type Guest, must } from "../conformance/guest.ts";
import { runProgram, startProgram } from "../support/run-program.ts";
import { requireAddon } from "./require-addon.ts";
import { MECHANISMS, withNative } from "./with-native.ts";

requireAddon();

const { code } = await runProgram("sh", ["-c", "command -v flock"]);
const missing = code === 0 ? "" : " [skipped: no flock(1) in PATH]";
const law = missing === "" ? test : test.skip;

describe.each(MECHANISMS)("%s", (mechanism) => {
  async function withFile(
    body: (guest: Guest, handle: number, path: string) => Promise<void>,
  ): Promise<void> {
    const host = mkdtempSync(join(tmpdir(), "stackful-lock-"));
    const path = join(host, "file");
    writeFileSync(path, "");
    const grants = { directories: [{ host, guest: "/data" }] };
    try {
      await withNative({ mechanism, grants }, async ({ guest }) => {
        await body(guest, must(await guest.open("/data/file", OPEN.READ)), path);
      });
    } finally {
      rmSync(host, { recursive: true });
    }
  }

  const lock = (guest: Guest, handle: number, argument: number): Promise<number> =>
    guest.submit({ op: OP.LOCK, handle, argument });

  law(`a LOCK waits for another program's, and gets it${missing}`, () =>
    withFile(async (guest, handle, path) => {
      const end = `${path}.end`;
      execFileSync("mkfifo", [end]);
      const holder = startProgram("flock", [path, "sh", "-c", `echo held; cat ${end}`]);
      await holder.wrote("held\n");
      const tried = await lock(guest, handle, LOCK.SHARED | LOCK.TRY);
      expect(errnoName(tried)).toBe("EAGAIN");
      const waiting = lock(guest, handle, LOCK.EXCLUSIVE);
      guest.turn();
      await writeFile(end, "");
      expect(await waiting).toBe(0);
      expect((await holder.ended).code).toBe(0);
    }),
  );

  law(`another program waits for a LOCK, until the file is closed${missing}`, () =>
    withFile(async (guest, handle, path) => {
      expect(await lock(guest, handle, LOCK.EXCLUSIVE)).toBe(0);
      const tried = await runProgram("flock", ["--nonblock", path, "true"]);
      expect(tried.code).toBe(1);
      const waiting = startProgram("flock", [path, "echo", "got it"]);
      expect(await guest.close(handle)).toBe(0);
      expect((await waiting.ended).stdout).toBe("got it\n");
    }),
  );
});
