//! Operations on paths: from guest paths, beneath the granted and the open directories, to node:fs.

import { ERRNO, OP } from "../../abi.gen.ts";
import { type Directory, type Located, resolveBeneath } from "../grants.ts";
import { errnoOf } from "../resources/errno.ts";
import { pathFailure } from "../resources/guest-path.ts";
import type { Operation } from "../resources/operation.ts";
import { isOnObject, type PathRequest, startPathRequest } from "../resources/path-request.ts";
import type { Context } from "../resources/resource.ts";
import type { Sandbox } from "../resources/sandbox.ts";
import { performOnNames } from "./names.ts";
import { type Outcome, performOnObject } from "./object.ts";
import { links } from "./path-links.ts";

const LOOKS: ReadonlySet<number> = new Set([OP.STAT, OP.ACCESS, OP.READLINK]);

/** The operation's result, or undefined when it comes later. */
export function startPath(
  context: Context,
  granted: readonly Directory[],
  operation: Operation,
): number | undefined {
  return startPathRequest(context, granted, operation, (request) => {
    void perform(context, request, operation);
  });
}

/** Never rejects: what goes wrong is the operation's result. */
async function perform(
  context: Context,
  request: PathRequest,
  operation: Operation,
): Promise<void> {
  const { operations, ring } = context;
  // Until something happens on the disk, a CANCEL takes effect.
  operation.owner = { cancel: () => operations.finish(operation, -ERRNO.ECANCELED) };
  const began = (): void => {
    if (operation.finished) throw pathFailure("ECANCELED");
    operation.owner = undefined;
  };
  try {
    if (context.sandbox !== undefined) await checkSandbox(context.sandbox, request);
    const { result, data } = await run(request, began);
    if (data !== undefined && !operation.finished) ring.copyIn(request.out, data);
    operations.finish(operation, result);
  } catch (error) {
    operations.finish(operation, -errnoOf(error));
  }
}

async function run(request: PathRequest, began: () => void): Promise<Outcome> {
  if (!isOnObject(request.code)) return performOnNames(request, began);
  const path = await resolveBeneath(request.at!, links, !request.noFollow);
  return performOnObject(request, path, began);
}

async function checkSandbox(sandbox: Sandbox, request: PathRequest): Promise<void> {
  const { code, at, other, noFollow } = request;
  const writes = !LOOKS.has(code);
  for (const located of [at, other]) {
    if (located === undefined) continue;
    const path = await resolveBeneath(located, links, isOnObject(code) && !noFollow);
    if (!allows(sandbox, located, path, writes)) throw pathFailure("ENOTCAPABLE", path);
  }
  if (code === OP.SYMLINK && !sandbox.allowsLinks()) throw pathFailure("ENOTCAPABLE");
}

function allows(
  sandbox: Sandbox,
  { directory: { root } }: Located,
  path: string,
  writes: boolean,
): boolean {
  return (
    sandbox.allowsFile("read", root, path) && (!writes || sandbox.allowsFile("write", root, path))
  );
}
