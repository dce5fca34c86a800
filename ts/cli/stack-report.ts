//! How large a stack each entry needs, for people or as JSON lines.

import type { EntryStack, NoStackBound, StackBound } from "../link/stack-bounds.ts";
import { grouped } from "./stats.ts";

/** Functions of a path that are printed. */
const LINES_MAX = 20;

export function printStackReport(stacks: readonly EntryStack[], json: boolean): void {
  const text = json
    ? stacks.map((entry) => `${JSON.stringify(entry)}\n`)
    : stacks.map(({ name, exported, stack }) => {
        const title = exported ? name : `${name} (for sf_spawn)`;
        return stack.kind === "bound" ? bound(title, stack) : noBound(title, stack);
      });
  process.stdout.write(text.join(json ? "" : "\n"));
}

function bound(title: string, stack: StackBound): string {
  const { bytes, sizeClassBytes, fixedBytes, path, pathOmitted } = stack;
  const size =
    sizeClassBytes === undefined
      ? "more than the largest stack"
      : `a stack of ${powerOfTwo(sizeClassBytes)}`;
  const shown = path.slice(0, LINES_MAX);
  const rows = shown.map(({ name, cStackBytes, frameBytes }) =>
    row(grouped(cStackBytes), grouped(frameBytes), name),
  );
  const more = path.length - shown.length + pathOmitted;
  if (more > 0) {
    const sum = shown.reduce((total, item) => total + item.cStackBytes + item.frameBytes, 0);
    rows.push(row(grouped(bytes - fixedBytes - sum), "", `in ${grouped(more)} more functions`));
  }
  rows.push(row(grouped(fixedBytes), "", "red zone, arguments, name"));
  return `${title}: ${grouped(bytes)} bytes, ${size}\n${row("C stack", "frame", "")}${rows.join("")}`;
}

function noBound(title: string, { kind, functions, path, pathOmitted }: NoStackBound): string {
  const [first = ""] = functions;
  const why = {
    recursion: `recursion, ${[...shorten(functions, 0), first].join(" > ")}`,
    "indirect call": `${first} makes an indirect call, which may reach anything`,
    "variable allocation": `${first} takes stack by an amount that is not constant`,
  }[kind];
  const way = shorten(path, pathOmitted).join(" > ");
  return `${title}: no bound: ${why}\n${path.length > 1 ? `  ${way}\n` : ""}`;
}

function shorten(names: readonly string[], omitted: number): readonly string[] {
  const more = names.length - LINES_MAX + omitted;
  return names.length <= LINES_MAX && omitted === 0
    ? names
    : [...names.slice(0, LINES_MAX), `... ${grouped(more)} more`];
}

function row(cStack: string, frame: string, what: string): string {
  return `${cStack.padStart(12)}${frame.padStart(9)}  ${what}`.trimEnd().concat("\n");
}

function powerOfTwo(bytes: number): string {
  return bytes < 1 << 20 ? `${bytes >> 10} KiB` : `${bytes >> 20} MiB`;
}
