//! Operations on paths: from guest paths, beneath the granted and the open directories, to the disk. Each
//! takes its time and then happens at once: until then it can be canceled, and has not happened.

import { ERRNO } from "../../abi.gen.ts";
import { type Directory, resolveBeneathSync } from "../grants.ts";
import { errnoOf } from "../resources/errno.ts";
import { pathFailure } from "../resources/guest-path.ts";
import type { Operation } from "../resources/operation.ts";
import { isOnObject, type PathRequest, startPathRequest } from "../resources/path-request.ts";
import { finishAfter } from "./finish-after.ts";
import { performOnNames } from "./name-operations.ts";
import { performOnNode } from "./node-operations.ts";
import { pathEvent } from "./path-event.ts";
import type { SimContext } from "./sim-backend.ts";

/** The operation's result, or undefined when it comes later. */
export function startPath(
  context: SimContext,
  granted: readonly Directory[],
  operation: Operation,
): number | undefined {
  return startPathRequest(context, granted, operation, (request) => {
    finishAfter(context, operation, context.files.delayNs(false), () => happen(context, request));
  });
}

function happen(context: SimContext, request: PathRequest): number {
  const { host, network, files } = context;
  let result: number;
  if (files.fails()) {
    result = -ERRNO.EIO;
    if (network.observer.watched) {
      network.observer.tell({ type: "fault", host: host.name, fault: "EIO" });
    }
  } else {
    result = perform(context, request);
  }
  if (network.observer.watched) {
    const { directory, components } = (request.at ?? request.other)!;
    const path = [directory.root, ...components].join("/");
    const what = pathEvent(request.code);
    network.observer.tell({ type: "file", host: host.name, what, path, result });
  }
  return result;
}

function perform(context: SimContext, request: PathRequest): number {
  try {
    if (!isOnObject(request.code)) return performOnNames(context, request);
    const { disk } = context.host;
    const path = resolveBeneathSync(request.at!, disk, !request.noFollow);
    const node = disk.at(path);
    if (node === undefined) throw pathFailure("ENOENT", path);
    if (request.at!.directoryOnly && node.kind !== "directory") throw pathFailure("ENOTDIR", path);
    return performOnNode(context, request, node);
  } catch (error) {
    return -errnoOf(error);
  }
}
