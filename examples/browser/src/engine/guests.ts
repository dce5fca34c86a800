//! The guests, linked when the page was built and compiled once.

import chatClient from "../../../../dist/examples/browser/chat-client.wasm?url";
import chatServer from "../../../../dist/examples/browser/chat-server.wasm?url";
import echoClient from "../../../../dist/examples/browser/echo-client.wasm?url";
import echoServer from "../../../../dist/examples/browser/echo-server.wasm?url";
import type { HostKind } from "./protocol.ts";

const URLS: Readonly<Record<HostKind, string>> = {
  "echo-client": echoClient,
  "echo-server": echoServer,
  "chat-server": chatServer,
  "chat-client": chatClient,
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
export async function compile(url: string): Promise<WebAssembly.Module> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`loading ${url}: status ${response.status}`);
  return await WebAssembly.compile(await response.arrayBuffer());
}
