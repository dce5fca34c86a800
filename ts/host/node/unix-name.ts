//! UNIX_LISTEN and UNIX_CONNECT: from a guest path to a name that the host's functions take.
//!
//! grants.ts walks the path; see there for the race that remains. held.ts closes it where it can.

import { basename, dirname, join } from "node:path";
import { ERRNO, OP, SOCKET_TYPE, UNIX_NAME_MAX } from "../../abi.gen.ts";
import { type Directory, resolveBeneath } from "../grants.ts";
import { errnoOf } from "../resources/errno.ts";
import { pathFailure, readGuestPath } from "../resources/guest-path.ts";
import type { Operation } from "../resources/operation.ts";
import type { Context } from "../resources/resource.ts";
import { holdDirectory } from "./held.ts";
import { links } from "./path-links.ts";

/** What sockaddr_un has room for, on the systems where that is least. */
const SYSTEM_NAME_MAX = 103;

/** A name in a directory that is open. */
export interface UnixName {
  readonly path: string;
  /** Closes the directory. Again: nothing. */
  release(): void;
}

/** Open a socket there and finish the operation, or throw what becomes its result. Both release the name. */
interface UnixOpeners {
  listen(name: UnixName): void;
  connect(name: UnixName): void | Promise<void>;
}

/** Starts UNIX_LISTEN or UNIX_CONNECT. Never rejects: what goes wrong is the operation's result. */
export async function startAtUnixName(
  context: Context,
  directories: readonly Directory[],
  operation: Operation,
  openers: UnixOpeners,
): Promise<void> {
  const { operations } = context;
  // While the path is walked nothing has happened yet, so that is when a CANCEL takes effect.
  operation.owner = { cancel: () => operations.finish(operation, -ERRNO.ECANCELED) };
  try {
    const listens = operation.submission.code === OP.UNIX_LISTEN;
    const name = await findUnixName(context, directories, operation, listens);
    if (operation.finished) name.release();
    else if (listens) openers.listen(name);
    else await openers.connect(name);
  } catch (error) {
    operations.finish(operation, -errnoOf(error));
  }
}

/**
 * Where the name lies. `makes`: of a socket that is to be made.
 *
 * @throws {StackfulError} `SF_IO` with the errno that the operation results in.
 */
async function findUnixName(
  context: Context,
  directories: readonly Directory[],
  { submission }: Operation,
  makes: boolean,
): Promise<UnixName> {
  const { argument } = submission;
  if (!makes && argument !== SOCKET_TYPE.STREAM) {
    throw pathFailure(argument === SOCKET_TYPE.DATAGRAM ? "ENOTSUP" : "EINVAL");
  }
  const located = readGuestPath(context, directories, submission);
  if (makes && located.directory.readOnly) throw pathFailure("EROFS");
  if (context.handles.full) throw pathFailure("EMFILE");
  if (makes && located.directoryOnly) throw pathFailure("EADDRINUSE");
  const path = await resolveBeneath(located, links, !makes);
  if (Buffer.byteLength(basename(path)) > (makes ? UNIX_NAME_MAX : 255)) {
    throw pathFailure("ENAMETOOLONG");
  }
  const { sandbox } = context;
  const { root } = located.directory;
  for (const permission of ["read", "write"] as const) {
    if (sandbox?.allowsFile(permission, root, path) === false) throw pathFailure("ENOTCAPABLE");
  }
  return openName(located.directory, path);
}

async function openName(directory: Directory, path: string): Promise<UnixName> {
  const held = await holdDirectory(directory, dirname(path));
  let open = true;
  const release = (): void => {
    if (open) void held.release();
    open = false;
  };
  const name = join(held.path, basename(path));
  if (Buffer.byteLength(name) > SYSTEM_NAME_MAX) {
    release();
    throw pathFailure("ENAMETOOLONG", path);
  }
  return { path: name, release };
}
