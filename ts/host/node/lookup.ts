//! LOOKUP: the host's own resolver, as node:dns has it.

import { lookup } from "node:dns";
import { ERRNO } from "../../abi.gen.ts";
import { parseAddress } from "../resources/address-text.ts";
import { errnoOf } from "../resources/errno.ts";
import { readLookup, writeLookup } from "../resources/names.ts";
import type { Operation } from "../resources/operation.ts";
import type { Context } from "../resources/resource.ts";

/** What Node and libuv say of names. */
const ERRORS: Readonly<Record<string, number>> = {
  ENOTFOUND: ERRNO.ENOENT,
  ENODATA: ERRNO.ENOENT,
  EAI_AGAIN: ERRNO.ETIMEDOUT,
  EAI_FAIL: ERRNO.EIO,
  EAI_MEMORY: ERRNO.ENOMEM,
};

/** A cancel ends it at once; what the host does for it goes on in vain. */
export function startLookup(context: Context, operation: Operation): number | undefined {
  const { operations } = context;
  const request = readLookup(context, operation.submission);
  if (typeof request === "number") return request;
  operation.owner = { cancel: () => operations.finish(operation, -ERRNO.ECANCELED) };
  const options = { family: request.family, all: true, verbatim: true } as const;
  lookup(request.name, options, (error, found) => {
    if (operation.finished) return;
    if (error !== null) {
      operations.finish(operation, -(ERRORS[error.code ?? ""] ?? errnoOf(error)));
      return;
    }
    // A number is found whatever its family.
    const addresses = found.flatMap(({ address, family }) =>
      request.family === 0 || family === request.family
        ? (parseAddress(address.split("%")[0]!) ?? [])
        : [],
    );
    const result = writeLookup(context, operation.submission, request, addresses);
    operations.finish(operation, addresses.length === 0 ? -ERRNO.ENOENT : result);
  });
  return undefined;
}
