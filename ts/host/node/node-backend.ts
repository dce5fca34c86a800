//! The backend that every Node has: node:net, node:dgram and node:fs behind the rings. It does
//! its I/O from Node's event loop and therefore never waits in `turn`.

import { OP } from "../../abi.gen.ts";
import { SYSTEM } from "../../guest/environment.ts";
import { jsRuntime } from "../../js-runtime.ts";
import type { Backend, BackendName, BackendOptions } from "../backend.ts";
import { all, type Capabilities, capabilities } from "../capability.ts";
import { type Directory, grantedStreams } from "../grants.ts";
import type { Names } from "../resources/names.ts";
import type { Operation } from "../resources/operation.ts";
import { readPrograms } from "../resources/programs.ts";
import type { Resource } from "../resources/resource.ts";
import { RingBackend } from "../resources/ring-backend.ts";
import { Sandbox } from "../resources/sandbox.ts";
import { ON_FILES, ON_SOCKETS } from "../resources/shared-operations.ts";
import { startStdio } from "../resources/standard.ts";
import { openNames } from "./host-names.ts";
import { startLookup } from "./lookup.ts";
import { openDirectories, startOpen } from "./open-file.ts";
import { startConnect, startListen, startUdpBind } from "./open-socket.ts";
import { openStandard } from "./open-standard.ts";
import { startPath } from "./paths.ts";
import { Children, HAS_PROCESSES, type Nursery, startSpawn } from "./spawn.ts";
import { HAS_UNIX_SOCKETS, startUnix } from "./unix-socket.ts";

/** Of a file, READ and WRITE are in Node's pool too. */
export const NODE_CAPABILITIES = capabilities({
  ...all(ON_SOCKETS, "native"),
  ...all(ON_FILES, "pool"),
  STDIO: "native",
  TERMINAL_SIZE: "native",
  TERMINAL_MODE: "native",
  LOOKUP: "pool",
  ...(HAS_PROCESSES && { SPAWN: "native", WAIT: "native", KILL: "native" }),
  // Of streams. Deno's node:net is not asked.
  ...(HAS_UNIX_SOCKETS && jsRuntime() !== "deno" && { UNIX_LISTEN: "pool", UNIX_CONNECT: "pool" }),
});

/**
 * Opens the backend built on node:net, node:dgram and node:fs.
 *
 * @throws {StackfulError} `SF_IO` when a granted directory does not exist.
 * @throws {RangeError} when `handlesMax` is not an integer from 0 to 2^20, or a granted port not
 *   one from 0 to 65535.
 * @throws {TypeError} when a granted address has neither 4 bytes nor 16, or a path is not one.
 */
export async function openNodeBackend(options: BackendOptions): Promise<Backend> {
  return new NodeBackend(
    options,
    await openDirectories(options.grants.directories),
    await openNames(options.grants),
  );
}

export class NodeBackend extends RingBackend {
  override readonly name: BackendName = "node";
  override readonly environment = SYSTEM;
  protected override readonly capabilities: Capabilities = NODE_CAPABILITIES;
  protected readonly directories: readonly Directory[];
  readonly #nursery: Nursery;
  #doorbell: NodeJS.Immediate | undefined;

  constructor(
    options: BackendOptions,
    directories: readonly Directory[],
    names: Names | undefined,
  ) {
    super(options, { sandbox: jsRuntime() === "deno" ? new Sandbox() : undefined, names });
    this.directories = directories;
    const children = new Children(options.handlesMax);
    const programs = readPrograms(options.grants);
    const inherited = grantedStreams(options.grants);
    this.#nursery = { children, programs, inherited, directories };
  }

  protected override startOpener(operation: Operation): number | undefined {
    switch (operation.submission.code) {
      case OP.LISTEN:
        return startListen(this.context, this.grants.listen, operation);
      case OP.CONNECT:
        return startConnect(this.context, this.grants.connect, operation);
      case OP.UDP_BIND:
        return startUdpBind(this.context, this.grants, operation);
      case OP.UNIX_LISTEN:
      case OP.UNIX_CONNECT:
        void startUnix(this.context, this.directories, operation);
        return undefined;
      case OP.STDIO:
        return startStdio(operation, this.grants, this.context.handles, (number) =>
          this.openStandard(number),
        );
      case OP.SPAWN:
        void startSpawn(this.context, this.#nursery, operation);
        return undefined;
      case OP.OPEN:
        void startOpen(this.context, this.directories, operation);
        return undefined;
      default:
        return startPath(this.context, this.directories, operation);
    }
  }

  /** Stream `number`, from 0 to 2. Throws errors of the host. */
  protected openStandard(number: number): Resource {
    return openStandard(this.context, number);
  }

  protected override endChildren(): Promise<void> {
    return this.#nursery.children.end();
  }

  protected override startLookup(operation: Operation): number | undefined {
    return startLookup(this.context, operation);
  }

  /**
   * An immediate runs after everything the event loop's poll phase brought, so that one turn takes
   * it all. It keeps the loop alive, as completions that are not delivered must.
   */
  protected override ring(): void {
    this.#doorbell = setImmediate(() => this.onReady());
  }

  protected override ringLater(): void {
    this.ring();
  }

  protected override silence(): void {
    clearImmediate(this.#doorbell);
  }
}
