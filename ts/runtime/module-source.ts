//! Where a module comes from, and how one that is not there is reported.

import { StackfulError } from "../errors.ts";
import type { Module } from "../webassembly.ts";

/** A module that is yet to be compiled: its bytes, or where they are. */
export type ModuleSource = string | URL | Uint8Array | ArrayBuffer;

/**
 * A path, or in a browser a URL; a URL object, which is read from its file or fetched; the bytes of a
 * module; or a module that is compiled already.
 */
export type GuestSource = ModuleSource | Module;

/** argv[0] of a guest that is given none. */
export function programName(source: GuestSource): string {
  const path = source instanceof URL ? source.pathname : source;
  if (typeof path !== "string" || /^(data|blob):/.test(String(source))) return "guest";
  return path.split(/[\\/]/).at(-1)!;
}

/** What errors call it. */
export function sourceName(source: GuestSource): string {
  return typeof source === "string" || source instanceof URL ? String(source) : "the module";
}

/** Whatever kept the module from being read or compiled. */
export function loadingFailed(source: GuestSource, cause: unknown): StackfulError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new StackfulError("SF_MODULE", `loading ${sourceName(source)}: ${why}`, { cause });
}

/** @throws {StackfulError} SF_MODULE when nobody answers, or not with a module. */
export async function fetchModule(source: string | URL): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(source);
  } catch (cause) {
    throw loadingFailed(source, cause);
  }
  if (response.ok) return response;
  throw loadingFailed(source, `the server answered ${response.status} ${response.statusText}`);
}
