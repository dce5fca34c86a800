//! Which JavaScript runtime this is. For what cannot be tried: a function that is there and ends the
//! process when it is called, a wake-up that gets lost.

export type JsRuntime = "node" | "deno" | "bun" | "browser";

export function jsRuntime(): JsRuntime {
  const versions: Readonly<Record<string, string | undefined>> | undefined =
    globalThis.process?.versions;
  if (versions?.bun !== undefined) return "bun";
  // Deno has no process in a module that never imports one, in some of its modes.
  if (versions?.deno !== undefined || "Deno" in globalThis) return "deno";
  return versions?.node === undefined ? "browser" : "node";
}
