import { beforeAll, expect, test, vi } from "vitest";
import { buildExamples } from "../../scripts/build-examples.ts";
import { Runtime } from "../../ts/runtime/runtime.ts";
import { runChild } from "../support/child.ts";
import { freePort } from "../support/free-port.ts";

const files = new Map<string, string>();
beforeAll(async () => {
  for (const { name, file } of await buildExamples()) files.set(name, file);
}, 240_000);

/** Entries for which a mark was compared with a bound. */
function compared(
  marks: ReadonlyMap<string, { used: number; bound: number | undefined }>,
): string[] {
  const names: string[] = [];
  for (const [name, { used, bound }] of marks) {
    expect(used, name).toBeGreaterThan(0);
    if (bound === undefined) continue;
    expect(used, `${name} used more than its bound`).toBeLessThanOrEqual(bound);
    names.push(name);
  }
  return names.sort();
}

/** The lines "entry  used" and "entry  used of bound" of `stackful run --paint-stacks`. */
function parseMarks(stderr: string) {
  const rows = stderr.matchAll(/^(\S+) +([\d,]+)(?: of ([\d,]+))?$/gm);
  const number = (text: string): number => Number(text.replaceAll(",", ""));
  return new Map(
    [...rows].map(([, name, used, bound]) => [
      name!,
      { used: number(used!), bound: bound === undefined ? undefined : number(bound) },
    ]),
  );
}

async function marksOf(name: string, options: string[], args: string[], code: number) {
  const command = ["run", "--paint-stacks", ...options, files.get(name)!, ...args];
  const child = await runChild("../ts/cli/main.ts", command);
  expect({ code: child.code, hung: child.hung }, child.stderr).toEqual({ code, hung: false });
  return compared(parseMarks(child.stderr));
}

test.each([
  { name: "hello", code: 0, bounded: [] },
  { name: "producer-consumer", code: 0, bounded: ["consume", "produce"] },
  { name: "deadlock", code: 1, bounded: ["philosopher"] },
])("no task of $name uses more stack than its entry's bound", async ({ name, code, bounded }) => {
  expect(await marksOf(name, [], [], code)).toEqual(bounded);
});

test("no task of the echo server and the load generator uses more than its entry's bound", async () => {
  const port = String(await freePort());
  const server = await Runtime.create(files.get("echo-server")!, {
    backend: "node",
    paintStacks: true,
    args: ["--port", port],
    grants: { listen: [`127.0.0.1:${port}`] },
  });
  const exit = server.run();
  await vi.waitFor(() => expect(server.stats.handlesOpen).toBe(1), 30_000);
  const args = ["--port", port, "--connections", "20", "--messages", "20"];
  const bounded = await marksOf("load-generator", ["--allow-connect", "127.0.0.1:*"], args, 0);
  expect(bounded.length).toBeGreaterThan(0);

  const bounds = server.stackBounds();
  const marks = Object.entries(server.stackMarks()).map(
    ([name, used]) => [name, { used, bound: bounds[name] }] as const,
  );
  expect(compared(new Map(marks)).length).toBeGreaterThan(0);
  server.cancel();
  expect(await exit).toBe(0);
  await server[Symbol.asyncDispose]();
});
