//! Where an open descriptor lies.

import { readlinkSync } from "node:fs";
import { permitted } from "../../permissions.ts";

/** Where Linux has a link to each file that is open. */
const DESCRIPTORS = { name: "read", path: "/proc/self/fd" } as const;

/** Undefined where nobody says, or nobody may look. A read of this link never waits for a disk. */
export function descriptorPath(fd: number): string | undefined {
  if (!permitted(DESCRIPTORS)) return undefined;
  try {
    return readlinkSync(`${DESCRIPTORS.path}/${fd}`);
  } catch {
    return undefined;
  }
}
