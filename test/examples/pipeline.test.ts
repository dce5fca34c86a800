import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { buildExamples } from "../../scripts/build-examples.ts";
import { runChild } from "../support/child.ts";

let program: string;
beforeAll(async () => {
  const [built] = await buildExamples(["pipeline"]);
  program = built!.file;
}, 300_000);

const BACKENDS = ["auto", "node"];

/** Runs `commands` on a file with `content`. */
async function pipeline(backend: string, content: string, commands: string, allowed: string) {
  const directory = await mkdtemp(join(tmpdir(), "stackful-pipeline-"));
  try {
    await writeFile(join(directory, "words"), content);
    const { code, stdout, stderr, hung } = await runChild("../ts/cli/main.ts", [
      ...["run", "--backend", backend, `--allow-run=${allowed}`, "--dir", `${directory}::/data`],
      ...[program, "--from", "/data/words", "--run", commands],
    ]);
    expect(hung).toBe(false);
    return { code, stdout, stderr };
  } finally {
    await rm(directory, { recursive: true });
  }
}

test.each(BACKENDS)("the pipeline example on %s counts words as a shell would", async (backend) => {
  // More than a pipe holds, so that every stage waits for the others.
  const words = ["pear", "fig", "apple", "pear", "fig", "pear"];
  const content = Array.from({ length: 60_000 }, (_, index) => `${words[index % 6]}\n`).join("");
  const { code, stdout, stderr } = await pipeline(
    backend,
    content,
    "sort | uniq -c | sort -rn | head -2",
    "sort,uniq,head",
  );
  expect(stderr).toBe("");
  expect(stdout.trim().split(/\s+/)).toEqual(["30000", "pear", "20000", "fig"]);
  expect(code).toBe(0);
});

test.each(BACKENDS)(
  "the pipeline example on %s ends when its last stage has enough, and tells that one's code",
  async (backend) => {
    const many = "line\n".repeat(400_000);
    const enough = await pipeline(backend, many, "cat | head -1", "cat,head");
    expect(enough).toEqual({ code: 0, stdout: "line\n", stderr: "" });
    const none = await pipeline(backend, many, "cat | grep -c nothing", "cat,grep");
    expect(none).toEqual({ code: 1, stdout: "0\n", stderr: "" });
  },
);

test.each(BACKENDS)(
  "the pipeline example on %s prints what its stages complain about, and starts nothing else",
  async (backend) => {
    const complaint = await pipeline(backend, "", "cat /nowhere/file | cat", "cat");
    expect(complaint).toMatchObject({ code: 0, stdout: "" });
    expect(complaint.stderr).toContain("/nowhere/file");
    const refused = await pipeline(backend, "", "cat | sort", "cat");
    expect(refused).toMatchObject({ code: 127, stdout: "" });
    expect(refused.stderr).toContain("pipeline: start sort: ENOTCAPABLE");
  },
);
