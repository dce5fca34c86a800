//! LOOKUP: what a host of a world knows of names: those of its name server, after the time that asking it
//! takes.

import { ERRNO } from "../../abi.gen.ts";
import { parseAddress } from "../resources/address-text.ts";
import { type LookupRequest, readLookup, writeLookup } from "../resources/names.ts";
import type { Operation } from "../resources/operation.ts";
import { finishAfter } from "./finish-after.ts";
import type { SimContext } from "./sim-backend.ts";

const LOCALHOST = ["::1", "127.0.0.1"];

export function startLookup(context: SimContext, operation: Operation): number | undefined {
  const { network } = context;
  const request = readLookup(context, operation.submission);
  if (typeof request === "number") return request;
  finishAfter(context, operation, network.delayNs() + network.delayNs(), () => {
    const found = addressesOf(context, request);
    if (typeof found === "number") return found;
    return writeLookup(context, operation.submission, request, found);
  });
  return undefined;
}

function addressesOf({ host }: SimContext, { name, family }: LookupRequest): Uint8Array[] | number {
  const known = name.toLowerCase().replace(/\.$/, "");
  const numeric = parseAddress(name);
  const all =
    numeric !== undefined
      ? [numeric]
      : known === "localhost"
        ? LOCALHOST.map((text) => parseAddress(text)!)
        : host.addressesOf(known);
  const found = all.filter(({ length }) => family === 0 || length === (family === 4 ? 4 : 16));
  return found.length === 0 ? -ERRNO.ENOENT : found;
}
