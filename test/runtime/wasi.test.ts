//! Plain C on the host's WASI: the same in every JavaScript runtime.

import { mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runChild } from "../support/child.ts";
import { guestOfFile } from "../support/guest-of-file.ts";
import { openRuntime } from "../support/runtime.ts";

const guest = guestOfFile("wasi", { command: true });

const STDOUT = `\
2 arguments, the last is last one; X is set here, Y is unset
line: first 42
line: second
byte 6: 4
size: 16
missing: No such file or directory
mkdir: 0, rename: 0
entry: link
entry: sub
unlink: 0, rmdir: 0
/etc/hostname: refused
/data/../outside: refused
/data/link: refused
after 2020: 1, slept: 1
random: 0, all zero: 0
input: 0 bytes
still here`;

test("arguments, environment, files, clocks, random numbers, output and exit code of a program", async () => {
  const scratch = await realpath(await mkdtemp(join(tmpdir(), "stackful-wasi-")));
  const data = join(scratch, "data");
  await mkdir(data);
  await writeFile(join(scratch, "outside"), "not granted");
  await symlink(join(scratch, "outside"), join(data, "link"));
  const options = ["--dir", `${data}::/data`, "--env", "X=set here"];
  const args = ["run", ...options, (await guest()).path, "first", "last one"];
  const { code, stdout, stderr } = await runChild("../ts/cli/main.ts", args);
  // A directory has no order.
  expect(stdout.replace("entry: sub\nentry: link\n", "entry: link\nentry: sub\n")).toBe(STDOUT);
  expect({ code, stderr }).toEqual({ code: 3, stderr: "an error\n" });
  await rm(scratch, { recursive: true });
});

test.each([true, false])(
  "plain C writes to a directory only when it is not granted read-only: readOnly %s",
  async (readOnly) => {
    const host = await realpath(await mkdtemp(join(tmpdir(), "stackful-wasi-")));
    const runtime = await openRuntime(await guest(), {
      args: ["writes", "/data/file"],
      grants: { directories: [{ host, guest: "/data", readOnly }] },
    });
    expect(await runtime.run()).toBe(readOnly ? 0 : 1);
    expect(await readdir(host)).toEqual(readOnly ? [] : ["file"]);
    await rm(host, { recursive: true });
  },
);
