import { resolve } from "node:path";
import { expect, test } from "vitest";
import { ANY, parseProcesses } from "../../ts/cli/allow-run.ts";
import { UsageError } from "../../ts/cli/arguments.ts";

test("--allow-run names programs by path or by name in PATH, and alone means any", () => {
  expect(parseProcesses([], [])).toEqual({});
  expect(parseProcesses([ANY])).toEqual({ processes: true });
  const { processes } = parseProcesses(["/bin/sh,./tool", "sh"], ["LANG,TZ", "A"]);
  if (processes === undefined || processes === true) throw new Error("it has a list");
  expect(processes.programs.slice(0, 2)).toEqual(["/bin/sh", resolve("tool")]);
  expect(processes.programs[2]).toMatch(/^\/.*\/sh$/);
  expect(processes.environment).toEqual(["LANG", "TZ", "A"]);
  expect(parseProcesses(["/bin/sh"], [ANY])).toEqual({
    processes: { programs: ["/bin/sh"], environment: true },
  });
});

test("--allow-run says which program there is not, and --allow-run-env needs it", () => {
  expect(() => parseProcesses(["no-such-program-anywhere"])).toThrow(UsageError);
  expect(() => parseProcesses([""])).toThrow(UsageError);
  expect(() => parseProcesses([], ["LANG"])).toThrow(UsageError);
});
