//! How LISTEN and UDP_BIND share a port.

import { BIND, ERRNO } from "../../abi.gen.ts";
import type { Operation } from "./operation.ts";

export interface BindFlags {
  readonly reusePort: boolean;
  readonly reuseAddress: boolean;
}

/** What the operation asks for, or a negated errno. */
export function bindFlags({ submission }: Operation): BindFlags | number {
  const { mode } = submission;
  if ((mode & ~(BIND.REUSE_PORT | BIND.REUSE_ADDRESS)) !== 0) return -ERRNO.EINVAL;
  return {
    reusePort: (mode & BIND.REUSE_PORT) !== 0,
    reuseAddress: (mode & BIND.REUSE_ADDRESS) !== 0,
  };
}
