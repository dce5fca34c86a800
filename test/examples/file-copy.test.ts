import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { buildExamples } from "../../scripts/build-examples.ts";
import { pattern } from "../conformance/guest.ts";
import { runChild } from "../support/child.ts";

let program: string;
beforeAll(async () => {
  const [built] = await buildExamples(["file-copy"]);
  program = built!.file;
}, 120_000);

async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "stackful-file-copy-"));
  try {
    await body(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function copy(backend: string, directory: string, from: string, to: string) {
  const args = [
    "run",
    "--backend",
    backend,
    "--dir",
    `${directory}::/data`,
    program,
    "--from",
    from,
    "--to",
    to,
  ];
  const { code, stdout, stderr, hung } = await runChild("../ts/cli/main.ts", args);
  expect(hung).toBe(false);
  return { code, stdout, stderr };
}

test.each(["auto", "node"])(
  "the file-copy example on %s copies every byte, and leaves nothing else",
  (backend) =>
    inDirectory(async (directory) => {
      const content = pattern(9_000_001);
      await writeFile(join(directory, "from"), content);
      await writeFile(join(directory, "to"), "what was there before");
      const { code, stdout, stderr } = await copy(backend, directory, "/data/from", "/data/to");
      expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: "9000001 bytes\n" });
      expect(Buffer.compare(await readFile(join(directory, "to")), content)).toBe(0);
      expect((await readdir(directory)).sort()).toEqual(["from", "to"]);
    }),
);

test.each(["auto", "node"])(
  "the file-copy example on %s says what it cannot open, and what it may not",
  (backend) =>
    inDirectory(async (directory) => {
      const missing = await copy(backend, directory, "/data/none", "/data/to");
      expect(missing).toMatchObject({ code: 1, stderr: "file-copy: open /data/none: ENOENT\n" });
      await writeFile(join(directory, "from"), "bytes");
      const outside = await copy(backend, directory, "/data/from", "/elsewhere/to");
      expect(outside.code).toBe(1);
      expect(outside.stderr).toContain("open /elsewhere/to.partial: ENOTCAPABLE");
      expect(await readdir(directory)).toEqual(["from"]);
    }),
);
