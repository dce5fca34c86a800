//! What somebody who gets a command line wrong is told.

import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { UsageError } from "../../ts/cli/arguments.ts";
import { buildCommand } from "../../ts/cli/build.ts";
import { doctorCommand } from "../../ts/cli/doctor.ts";
import { linkCommand, writeOutput } from "../../ts/cli/link.ts";
import { runCommand } from "../../ts/cli/run.ts";
import { openBackend } from "../../ts/host/open-backend.ts";
import { runChild } from "../support/child.ts";

/** A message, the first lines of a usage text, and where the rest is. */
const LINES_MAX = 5;

const COMMANDS = { run: runCommand, link: linkCommand, build: buildCommand, doctor: doctorCommand };

test.each([
  ["run", "which guest?\nusage: stackful run [options] app.wasm [args]\n(--help says more)"],
  ["run --nosuch app.wasm", "Unknown option '--nosuch'\nusage: stackful run"],
  ["run --dir :: app.wasm", "--dir ::: write HOST::GUEST, or HOST alone"],
  ["run --dir ../data app.wasm", 'the guest calls it must not contain "..": write HOST::GUEST'],
  ["run --env =x app.wasm", "--env =x: write NAME=VALUE, or NAME alone"],
  ["run --stats=xml app.wasm", "--stats=xml: expected json, or nothing"],
  ["link", "which module?\nusage: stackful link [options] in.wasm -o out.wasm\n"],
  ["link one.wasm two.wasm", "one module, please\nusage: stackful link"],
  ["link one.wasm", "where to? give -o\nusage: stackful link"],
  ["build", "which sources?\nusage: stackful build"],
  ["doctor uring", "no argument, please: uring\nusage: stackful doctor"],
])("stackful %s: says what is wrong, in a few lines", async (line, message) => {
  const [command, ...args] = line.split(" ");
  const error = await COMMANDS[command as keyof typeof COMMANDS](args).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(UsageError);
  expect(error.message).toContain(message);
  expect(error.message.split("\n").length).toBeLessThanOrEqual(LINES_MAX);
});

test("a wrong command line ends with 2, and stdout stays empty", async () => {
  const { code, stdout, stderr } = await runChild("../ts/cli/main.ts", ["link"]);
  expect(stderr).toMatch(/^stackful link: which module\?\nusage: /);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
});

test.each(["node", "auto"] as const)(
  "%s: a granted directory that is not there is named",
  async (name) => {
    const host = join(tmpdir(), "stackful-no-such-directory");
    const grants = { directories: [{ host, guest: "/data" }] };
    await expect(openBackend(name, { grants, handlesMax: 1 })).rejects.toMatchObject({
      errno: "ENOENT",
      message: `grant directory ${host} as /data: ENOENT (a granted directory must exist)`,
    });
  },
);

test("a module that cannot be written is named", async () => {
  const path = join(tmpdir(), "stackful-no-such-directory", "out.wasm");
  await expect(writeOutput(path, Uint8Array.of())).rejects.toMatchObject({
    code: "SF_IO",
    errno: "ENOENT",
    message: expect.stringContaining(`writing ${path}: `),
  });
});
