//! A program that calls a function on a thread once, and leaves its runtime open.

import { Runtime } from "../../ts/runtime/runtime.ts";
import { buildGuest } from "../support/build-guest.ts";

const guest = await buildGuest("hostile", { asyncImports: ["env.wait"] });
const imports = { env: { wait: async (): Promise<number> => 0 } };
const runtime = await Runtime.create(guest.wasm, { imports, backend: "node" });
const result = await runtime.blocking(
  new URL("./blocking-work.mjs", import.meta.url),
  "double",
  [21],
);
process.stdout.write(`${String(result)}\n`);
