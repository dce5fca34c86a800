//! The guest test/support/guests/names.c on the host "client" of a world.

import { expect } from "vitest";
import type { World } from "../../ts/host/sim/world.ts";
import type { WorldEvent } from "../../ts/host/sim/world-event.ts";
import type { RuntimeGrants } from "../../ts/runtime/options.ts";
import { Runtime } from "../../ts/runtime/runtime.ts";
import { guestOfFile } from "../support/guest-of-file.ts";
import { watch } from "./worlds.ts";

/** How names.c writes fd00::2. */
export const WEB6 = "fd00:0:0:0:0:0:0:2";

const load = guestOfFile("names", { command: true });
let compiled: Promise<WebAssembly.Module> | undefined;

interface Ran {
  readonly lines: readonly string[];
  readonly events: readonly WorldEvent[];
}

/** What names.c prints for each two of `commands`, and what happens meanwhile. It must leave no handle behind. */
export async function runNames(
  world: World,
  commands: readonly string[],
  grants: RuntimeGrants,
): Promise<Ran> {
  compiled ??= load().then(({ wasm }) => WebAssembly.compile(wasm));
  const events = watch(world);
  const lines: string[] = [];
  const module = await compiled;
  const runtime = await world.hold(
    Runtime.create(module, {
      backend: world.host("client"),
      args: commands,
      grants,
      onOutput: (_stream, line) => lines.push(line),
    }),
  );
  await runtime.run();
  expect(runtime.stats.handlesOpen).toBe(0);
  await runtime[Symbol.asyncDispose]();
  return { lines, events };
}
