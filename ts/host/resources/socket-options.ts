//! SET_OPTION and GET_OPTION on sockets of backends written in JavaScript. Hosts set options, but tell few:
//! what was set is remembered here.

import { ERRNO, OP, OPTION } from "../../abi.gen.ts";
import type { GuestRing, Submission } from "../ring.ts";

export type SocketKind = "tcp" | "udp";

/** What the host can do about options. */
export interface OptionHost {
  /** Those of `OPTION` that it can set. */
  readonly options: readonly number[];
  /** Sets one, whose value is in range. Returns 0 or a negated errno. */
  set(option: number, value: number): number;
  /** What the system says of one; undefined: what was set last is true. */
  get?(option: number): number | undefined;
}

interface Range {
  readonly min: number;
  readonly max: number;
  readonly kinds: readonly SocketKind[];
  /** Before it is set. */
  readonly initially: number;
}

const SECONDS_MAX = 32_767;
const BUFFER_MAX = 2 ** 30;
const TCP = ["tcp"] as const;
const UDP = ["udp"] as const;
const BOTH = ["tcp", "udp"] as const;
/** Linux's, for both directions. */
export const BUFFER_BYTES = 212_992;

const RANGES = new Map<number, Range>([
  [OPTION.NO_DELAY, { min: 0, max: 1, kinds: TCP, initially: 1 }],
  [OPTION.KEEP_ALIVE, { min: 0, max: SECONDS_MAX, kinds: TCP, initially: 0 }],
  [OPTION.SEND_BUFFER, { min: 1, max: BUFFER_MAX, kinds: BOTH, initially: BUFFER_BYTES }],
  [OPTION.RECEIVE_BUFFER, { min: 1, max: BUFFER_MAX, kinds: BOTH, initially: BUFFER_BYTES }],
  [OPTION.LINGER, { min: -1, max: SECONDS_MAX, kinds: TCP, initially: -1 }],
  [OPTION.BROADCAST, { min: 0, max: 1, kinds: UDP, initially: 0 }],
  [OPTION.MULTICAST_HOPS, { min: 0, max: 255, kinds: UDP, initially: 1 }],
  [OPTION.MULTICAST_LOOP, { min: 0, max: 1, kinds: UDP, initially: 1 }],
  [OPTION.HOPS, { min: 1, max: 255, kinds: BOTH, initially: 64 }],
]);

export class SocketOptions {
  readonly #kind: SocketKind;
  readonly #host: OptionHost;
  readonly #set = new Map<number, number>();

  constructor(kind: SocketKind, host: OptionHost) {
    this.#kind = kind;
    this.#host = host;
  }

  /** The result of a SET_OPTION or GET_OPTION. */
  start(ring: GuestRing, submission: Submission): number {
    const { code, argument, offset, otherPointer } = submission;
    const range = RANGES.get(argument);
    if (range?.kinds.includes(this.#kind) !== true || !this.#host.options.includes(argument)) {
      return -ERRNO.ENOPROTOOPT;
    }
    if (code === OP.SET_OPTION) {
      if (offset < range.min || offset > range.max) return -ERRNO.EINVAL;
      const result = this.#host.set(argument, offset);
      if (result === 0) this.#set.set(argument, offset);
      return result;
    }
    if (!ring.inRange(otherPointer, 8)) return -ERRNO.EFAULT;
    ring.putInt64(otherPointer, this.get(argument));
    return 0;
  }

  get(option: number): number {
    return this.#host.get?.(option) ?? this.#set.get(option) ?? RANGES.get(option)!.initially;
  }

  /** Sets what a listener was set to, for a connection that it has accepted. */
  inherit(listener: SocketOptions): void {
    for (const [option, value] of listener.#set) {
      if (this.#host.set(option, value) === 0) this.#set.set(option, value);
    }
  }
}
