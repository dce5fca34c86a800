//! Runtimes on the hosts of a world, of test/support/guests/world.c.

import type { SimHost } from "../../ts/host/sim/sim-host.ts";
import type { World } from "../../ts/host/sim/world.ts";
import type { RuntimeOptions } from "../../ts/runtime/options.ts";
import { Runtime } from "../../ts/runtime/runtime.ts";
import { guestOfFile } from "../support/guest-of-file.ts";

export const PORT = 7;

export function worldGuest() {
  const load = guestOfFile("world", { asyncImports: ["env.note"] });
  let module: Promise<WebAssembly.Module> | undefined;
  const start = async (
    world: World,
    host: SimHost,
    options: RuntimeOptions = {},
  ): Promise<Runtime> => {
    module ??= load().then(({ wasm }) => WebAssembly.compile(wasm));
    return world.hold(
      Runtime.create(await module, {
        imports: { env: { note: async (value: number) => value } },
        grants: { listen: ["*"], connect: ["*"] },
        backend: host,
        onTaskFailed: () => {},
        ...options,
      }),
    );
  };
  return { start };
}

/** As `ask` of world.c takes it. */
export function addressOf(host: SimHost): number {
  return host.addresses.ipv4.split(".").reduce((sum, part) => sum * 256 + Number(part), 0) | 0;
}
