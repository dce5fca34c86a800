//! Operations that take their time and then happen at once: until then they can be canceled, and have not
//! happened.

import { ERRNO } from "../../abi.gen.ts";
import type { Operation } from "../resources/operation.ts";
import { CallEvent } from "./event-queue.ts";
import type { SimContext } from "./sim-backend.ts";

/** In `ns` of virtual time `happen` is called, unless a CANCEL comes before; what it returns is the result. */
export function finishAfter(
  { operations, network: { scheduler } }: SimContext,
  operation: Operation,
  ns: number,
  happen: () => number,
): void {
  const end = new CallEvent(() => operations.finish(operation, happen()));
  operation.owner = {
    cancel: () => {
      scheduler.cancel(end);
      operations.finish(operation, -ERRNO.ECANCELED);
    },
  };
  scheduler.after(ns, end);
}
