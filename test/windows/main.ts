//! Runs the laws of the iocp backend in Windows, compiled: main.js RESULTS [TITLE]. Each line of the file RESULTS is
//! JSON: the title of a law that begins, or its result. TITLE: a regular expression.

import { appendFileSync } from "node:fs";
import { register } from "node:module";

const [file = "results.txt", pattern = ""] = process.argv.slice(2);
const wanted = new RegExp(pattern);
const tell = (what: unknown): void => appendFileSync(file, `${JSON.stringify(what)}\n`);

register("./hooks.js", import.meta.url);
const { laws, runLaw } = (await import("vitest")) as unknown as typeof import("./vitest.ts");
await import("../conformance/iocp.test.js" as string);
let current = "";
// What a law left behind.
process.on("uncaughtException", (error) => {
  const failureMessages = [String(error)];
  tell({ ancestorTitles: [], title: current, status: "failed", failureMessages, meta: {} });
});
for (const law of laws) {
  if (!wanted.test(law.title)) continue;
  current = law.title;
  tell(law.title);
  tell(await runLaw(law));
}
tell("");
process.exit(0);
