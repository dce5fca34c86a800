/**
 * Child process of the benchmark: `run-one.js SCENARIO IMPL PARAMS-AS-JSON` does the work under the
 * Node binary that started it and prints one sample as a JSON line.
 */
import { readFileSync } from "node:fs";
import { root } from "./peers.ts";
import { loadScenario } from "./registry.ts";
import type { ImplName, Params } from "./scenario.ts";

/** The engine compiles hot code in the background; short work is repeated until that is over. */
const WARM_UP_MS = 300;

function versionOf(impl: string): string {
  const node = `node ${process.version}`;
  if (!impl.startsWith("stackful")) return node;
  const manifest = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { version: string };
  return `stackful ${manifest.version}, ${node}`;
}

const [name = "", impl = "", json = "{}"] = process.argv.slice(2);
const scenario = await loadScenario(name);
const implementation = scenario.implementations[impl as ImplName];
if (implementation === undefined) throw new RangeError(`${name} has no implementation "${impl}"`);

const params = JSON.parse(json) as Params;
if (scenario.warmUp !== false) {
  const untilMs = performance.now() + WARM_UP_MS;
  do await implementation(params);
  while (performance.now() < untilMs);
}
const sample = await implementation(params);
process.stdout.write(`${JSON.stringify({ ...sample, version: versionOf(impl) })}\n`);
