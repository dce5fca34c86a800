//! The guests, linked when the page was built and compiled once.

import type { HostKind } from "./protocol.ts";

const URLS: Readonly<Record<HostKind, URL>> = {
  "echo-client": new URL("../../../../dist/examples/browser/echo-client.wasm", import.meta.url),
  "echo-server": new URL("../../../../dist/examples/browser/echo-server.wasm", import.meta.url),
  "chat-server": new URL("../../../../dist/examples/browser/chat-server.wasm", import.meta.url),
  "chat-client": new URL("../../../../dist/examples/browser/chat-client.wasm", import.meta.url),
};

const modules = new Map<HostKind, Promise<WebAssembly.Module>>();

export function guestModule(kind: HostKind): Promise<WebAssembly.Module> {
  let module = modules.get(kind);
  if (module === undefined) {
    module = compile(URLS[kind]);
    modules.set(kind, module);
  }
  return module;
}

/** Not compileStreaming: that refuses what a simple server says of the type. */
export async function compile(url: URL): Promise<WebAssembly.Module> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`loading ${url.pathname}: status ${response.status}`);
  return await WebAssembly.compile(await response.arrayBuffer());
}
