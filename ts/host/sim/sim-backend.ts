//! The backend of one process on a simulated host: its handles are sockets and files of that host.

import { ERRNO, OP } from "../../abi.gen.ts";
import type { StackfulError } from "../../errors.ts";
import type { Environment } from "../../guest/environment.ts";
import type { BackendOptions } from "../backend.ts";
import { all, type Capabilities, capabilities } from "../capability.ts";
import type { DrivenLoop, Driver } from "../driver.ts";
import type { Directory } from "../grants.ts";
import { bindFlags } from "../resources/bind-flags.ts";
import { grantedEndpoint } from "../resources/endpoint.ts";
import { backlogOf } from "../resources/listener.ts";
import type { Names } from "../resources/names.ts";
import type { Operation } from "../resources/operation.ts";
import type { Context } from "../resources/resource.ts";
import { RingBackend } from "../resources/ring-backend.ts";
import { ON_FILES, ON_SOCKETS } from "../resources/shared-operations.ts";
import { startStdio } from "../resources/standard.ts";
import { UdpSocket } from "../resources/udp-socket.ts";
import { CallEvent } from "./event-queue.ts";
import type { FileTiming } from "./file-timing.ts";
import { startPath } from "./guest-paths.ts";
import type { Children } from "./host-processes.ts";
import { ListenerHandle } from "./listener-handle.ts";
import { startPair, startUnix } from "./local-sockets.ts";
import { startLookup } from "./lookup.ts";
import type { Network } from "./network.ts";
import { startOpen } from "./open-file.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimHost } from "./sim-host.ts";
import { StandardHandle } from "./standard-handle.ts";
import type { StandardStreams } from "./standard-streams.ts";
import { StreamHandle } from "./stream-handle.ts";

export interface SimContext extends Context {
  readonly host: SimHost;
  readonly network: Network;
  readonly files: FileTiming;
}

/**
 * On a host without programs. POLL is unsupported because its use is to wait for descriptors that come from elsewhere,
 * of which there are none; SEND_HANDLE and RECEIVE_HANDLE because listeners and UDP sockets belong to one process here.
 */
const ALONE_OPERATIONS = {
  ...all(ON_SOCKETS, "native"),
  ...all(ON_FILES, "native"),
  ALLOCATE: "native",
  LOCK: "native",
  LOOKUP: "native",
  UNIX_LISTEN: "native",
  UNIX_CONNECT: "native",
  UNIX_BIND: "native",
  UNIX_SEND_TO: "native",
  SOCKET_PAIR: "native",
  PIPE: "native",
  STDIO: "native",
  TERMINAL_SIZE: "native",
  TERMINAL_MODE: "native",
} as const;
const ALONE = capabilities(ALONE_OPERATIONS);

const CAPABILITIES = capabilities({
  ...ALONE_OPERATIONS,
  SPAWN: "native",
  WAIT: "native",
  KILL: "native",
});

/** A full completion ring is looked at again after so long: a guest that never empties it must not hold the world. */
const RING_LATER_NS = 1e6;

export class SimBackend extends RingBackend {
  override readonly name = "sim";
  protected override readonly capabilities: Capabilities;
  override readonly environment: Environment;
  readonly driver: Driver;
  readonly #simContext: SimContext;
  readonly #scheduler: Scheduler;
  readonly #directories: readonly Directory[];
  readonly #standard: StandardStreams;
  readonly #children: Children | undefined;
  readonly #later = new CallEvent(() => this.onReady());
  readonly #onEnded: (backend: SimBackend) => void;
  #began: (() => void) | undefined;
  #loop: DrivenLoop | undefined;

  /**
   * @param directories - what `options.grants` give, found on the host's disk.
   * @param onEnded - called when it has ended.
   */
  constructor(
    options: BackendOptions,
    parts: {
      readonly name: string;
      readonly host: SimHost;
      readonly network: Network;
      readonly files: FileTiming;
      readonly environment: Environment;
      readonly directories: readonly Directory[];
      readonly standard: StandardStreams;
      /** Absent: its host has no programs. */
      readonly children: Children | undefined;
      /** What `options.grants.dns` gives. */
      readonly names: Names | undefined;
      onEnded(backend: SimBackend): void;
    },
  ) {
    super(options, { names: parts.names });
    const { host, network, files } = parts;
    this.#directories = parts.directories;
    this.#standard = parts.standard;
    this.#children = parts.children;
    this.capabilities = parts.children === undefined ? ALONE : CAPABILITIES;
    this.#scheduler = network.scheduler;
    this.#simContext = { ...this.context, host, network, files };
    this.environment = parts.environment;
    this.#onEnded = parts.onEnded;
    this.driver = this.#scheduler.driver(parts.name, (loop) => {
      this.#loop = loop;
      this.#begin();
    });
  }

  /** Calls `began` once, when its loop is there, or it has ended without one. */
  waitForLoop(began: () => void): void {
    this.#began = began;
  }

  override bind(memory: WebAssembly.Memory, shared: number): void {
    super.bind(memory, shared);
    this.#begin();
  }

  /** The process ends at once, and what runs in it fails with `error`. */
  die(error: StackfulError): void {
    this.#loop?.fail(error);
    void this[Symbol.asyncDispose]();
  }

  override [Symbol.asyncDispose](): Promise<void> {
    this.#begin();
    this.#children?.end();
    const ended = super[Symbol.asyncDispose]();
    this.#onEnded(this);
    return ended;
  }

  protected override startOpener(operation: Operation): number | undefined {
    switch (operation.submission.code) {
      case OP.LISTEN:
        return this.#listen(operation);
      case OP.CONNECT:
        return this.#connect(operation);
      case OP.UDP_BIND:
        return this.#udpBind(operation);
      case OP.PIPE:
      case OP.SOCKET_PAIR:
        return startPair(this.#simContext, operation);
      case OP.UNIX_LISTEN:
      case OP.UNIX_CONNECT:
      case OP.UNIX_BIND:
      case OP.UNIX_SEND_TO:
        return startUnix(this.#simContext, this.#directories, operation);
      case OP.STDIO:
        return startStdio(operation, this.grants, this.context.handles, (number) =>
          this.#openStandard(number),
        );
      case OP.SPAWN:
        return this.#children?.start(this.#simContext, operation);
      case OP.OPEN:
        return startOpen(this.#simContext, this.#directories, operation);
      default:
        return startPath(this.#simContext, this.#directories, operation);
    }
  }

  #openStandard(number: number): StandardHandle {
    const stream = this.#standard.open(number, this.#simContext);
    return new StandardHandle(stream, number === 0 ? "input" : "output");
  }

  /** Knows what the name server would say, and needs as long as asking it would. */
  protected override startLookup(operation: Operation): number | undefined {
    return startLookup(this.#simContext, operation);
  }

  protected override ring(): void {
    this.onReady();
  }

  protected override ringLater(): void {
    this.#scheduler.after(RING_LATER_NS, this.#later);
  }

  protected override silence(): void {
    this.#scheduler.cancel(this.#later);
  }

  #begin(): void {
    this.#began?.();
    this.#began = undefined;
  }

  #listen(operation: Operation): number {
    const context = this.#simContext;
    const flags = bindFlags(operation);
    if (typeof flags === "number") return flags;
    const endpoint = grantedEndpoint(context, this.grants.listen, operation);
    if (typeof endpoint === "number") return endpoint;
    const backlog = backlogOf(operation);
    const listener = context.host.tcp.listen(endpoint, backlog, flags.reusePort);
    if (typeof listener === "number") return listener;
    return context.handles.insert(new ListenerHandle(context, listener));
  }

  #udpBind(operation: Operation): number {
    const context = this.#simContext;
    const flags = bindFlags(operation);
    if (typeof flags === "number") return flags;
    const endpoint = grantedEndpoint(context, this.grants.bind, operation);
    if (typeof endpoint === "number") return endpoint;
    const port = context.host.udp.bind(endpoint, flags);
    if (typeof port === "number") return port;
    const socket = new UdpSocket(context, port, this.grants);
    port.onRefused = () => socket.failed(ERRNO.ECONNREFUSED);
    port.onDatagram = (data, source) => socket.arrived(data, source);
    return context.handles.insert(socket);
  }

  #connect(operation: Operation): number | undefined {
    const context = this.#simContext;
    const { handles, operations } = context;
    const endpoint = grantedEndpoint(context, this.grants.connect, operation);
    if (typeof endpoint === "number") return endpoint;
    const attempt = context.host.tcp.connect(endpoint, (outcome) => {
      if (typeof outcome === "number") {
        operations.finish(operation, outcome);
        return;
      }
      const handle = handles.insert(new StreamHandle(context, outcome));
      if (handle < 0) outcome.close();
      operations.finish(operation, handle);
    });
    if (typeof attempt === "number") return attempt;
    operation.owner = {
      cancel: () => {
        attempt.cancel();
        operations.finish(operation, -ERRNO.ECANCELED);
      },
    };
    return undefined;
  }
}
