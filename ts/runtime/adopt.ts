//! Descriptors that the embedder gives to the guest.

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
  throw new StackfulError(
    "SF_IO",
    `adopt descriptor ${fd}: the ${backend.name} backend has no descriptors`,
    { errno: "ENOSYS", hint: "use a native backend" },
  );
}
