//! Where an open descriptor lies.

import { readlinkSync } from "node:fs";
import { permitted } from "../../permissions.ts";

/** Where Linux has a link to each file that is open. */
export const DESCRIPTORS_PATH = "/proc/self/fd";

/** Undefined where nobody says, or nobody may look. A read of this link never waits for a disk. */
export function descriptorPath(fd: number): string | undefined {
  if (!permitted({ name: "read", path: DESCRIPTORS_PATH })) return undefined;
  try {
    return readlinkSync(`${DESCRIPTORS_PATH}/${fd}`);
  } catch {
    return undefined;
  }
}
