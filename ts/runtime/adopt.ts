//! Descriptors and handles that the embedder gives to the guest, or takes from it.

import { StackfulError } from "../errors.ts";
import type { AdoptOptions, Backend } from "../host/backend.ts";

/** Beyond it no system numbers its descriptors. */
const DESCRIPTOR_MAX = 2 ** 31 - 1;

/** @throws {StackfulError} SF_IO. @throws {RangeError} no descriptor has such a number. */
export function adoptDescriptor(backend: Backend, fd: number, options: AdoptOptions): number {
  if (!Number.isInteger(fd) || fd < 0 || fd > DESCRIPTOR_MAX) {
    throw new RangeError(`adopt descriptor: ${fd} is not an integer from 0 to ${DESCRIPTOR_MAX}`);
  }
  if (backend.adoptDescriptor !== undefined) return backend.adoptDescriptor(fd, options);
  throw lacking(`adopt descriptor ${fd}`, `the ${backend.name} backend has no descriptors`);
}

/** @throws {StackfulError} SF_IO. */
export function releaseHandle(backend: Backend, handle: number): Uint8Array {
  if (backend.releaseHandle !== undefined) return backend.releaseHandle(handle);
  throw lacking(`release handle ${handle}`, staying(backend));
}

/** @throws {StackfulError} SF_IO. */
export function adoptHandle(backend: Backend, token: Uint8Array): number {
  if (backend.adoptHandle !== undefined) return backend.adoptHandle(token);
  throw lacking("adopt handle", staying(backend));
}

function staying({ name }: Backend): string {
  return `handles of the ${name} backend belong to their thread`;
}

function lacking(what: string, why: string): StackfulError {
  const hint = "use a native backend";
  return new StackfulError("SF_IO", `${what}: ${why}`, { errno: "ENOSYS", hint });
}
