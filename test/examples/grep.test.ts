import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildExamples } from "../../scripts/build-examples.ts";
import { BACKENDS, runExample } from "./in-process.ts";

const PIECE = 64 * 1024;

/** Each file, and the lines of it that are told. */
const FILES: Readonly<Record<string, { readonly content: string; readonly told: string[] }>> = {
  "one.txt": { content: "a needle\nhay\nneedleneedle\n", told: ["1:a needle", "3:needleneedle"] },
  "sub/deep/er/two.txt": { content: "needl\nneedle", told: ["2:needle"] },
  "sub/none.txt": { content: "needl e\nNEEDLE\nneedl", told: [] },
  "sub/empty.txt": { content: "", told: [] },
  "sub/deep/lines.txt": {
    content: Array.from({ length: 9000 }, (_, i) =>
      i % 3000 === 2999 ? `${i} needle` : `hay ${i}`,
    ).join("\n"),
    told: ["3000:2999 needle", "6000:5999 needle", "9000:8999 needle"],
  },
  // The text lies across two pieces that are read.
  "across.txt": {
    content: `${"hay\n".repeat((PIECE - 4) / 4)} needle\nhay\n`,
    told: [`${(PIECE - 4) / 4 + 1}: needle`],
  },
  // Of a line that is longer than a piece the beginning is searched.
  "long.txt": {
    content: `${"h".repeat(2 * PIECE)}needle\nneedle ${"x".repeat(PIECE)}needle\nneedle\n`,
    told: [`2:needle ${"x".repeat(PIECE - 7)}`, "3:needle"],
  },
  "binary.bin": { content: "\0\0needle\nneedle\n", told: [" binary file matches"] },
};

let directory: string;
beforeAll(async () => {
  await buildExamples(["grep"]);
  directory = await mkdtemp(join(tmpdir(), "stackful-grep-"));
  for (const [path, { content }] of Object.entries(FILES)) {
    const file = join(directory, "tree", path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  await writeFile(join(directory, "outside.txt"), "needle\n");
  await symlink("../outside.txt", join(directory, "tree/link.txt"));
  await symlink("..", join(directory, "tree/sub/up"));
}, 240_000);
afterAll(() => rm(directory, { recursive: true }));

const expected = Object.entries(FILES)
  .flatMap(([path, { told }]) => told.map((line) => `/data/${path}:${line}`))
  .sort();

describe.each(BACKENDS)("the grep example on %s", (backend) => {
  const grep = (...args: string[]) =>
    runExample("grep", {
      backend,
      args,
      grants: { directories: [{ host: join(directory, "tree"), guest: "/data", readOnly: true }] },
    });

  test.each(["1", "3", "64"])("finds every line, with %s tasks at work", async (tasks) => {
    const { code, stdout, stderr } = await grep(
      "--text",
      "needle",
      "--in",
      "/data",
      "--tasks",
      tasks,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: [] });
    expect(stdout.sort()).toEqual(expected);
  });

  test("says by its code that there is nothing, and what it may not read", async () => {
    expect(await grep("--text", "nowhere", "--in", "/data")).toEqual({
      code: 1,
      stdout: [],
      stderr: [],
    });
    const outside = await grep("--text", "needle", "--in", "/data/..");
    expect(outside).toMatchObject({ code: 2, stdout: [] });
    expect(outside.stderr).toHaveLength(1);
    expect((await grep("--text", "needle", "--in", "/data/sub/up")).code).toBe(2);
  });
});
