//! The host's end of an event in guest memory.

import { ARM_SOURCE } from "../abi.gen.ts";
import type { Arm } from "./arm.ts";
import type { HostWaits } from "./host-waits.ts";
import { type WaitOptions, wait } from "./select.ts";

export interface EventOptions {
  /**
   * false: once set, every wait returns until it is reset. true: each set lets one wait return, and
   * sets without a wait between them are one. @defaultValue false
   */
  readonly automatic?: boolean;
}

/** sizeof(struct sf_event) in sync.h. */
const EVENT_BYTES = 16;

/** Something that happens, for guest and host. The guest uses it through `sf_event_*` at `address`. */
export class Event {
  /** Pass it to the guest: a `struct sf_event *`. */
  readonly address: number;
  readonly #waits: HostWaits;

  /** @internal Events come from `Runtime.event`. */
  constructor(waits: HostWaits, { automatic = false }: EventOptions) {
    this.#waits = waits;
    this.address = waits.guest.allocate(EVENT_BYTES);
    waits.guest.core.sf_event_init(this.address, automatic ? 1 : 0);
  }

  get isSet(): boolean {
    return this.#waits.guest.core.sf_event_is_set(this.address) !== 0;
  }

  /** Idempotent. No effect once the runtime has ended. */
  set(): void {
    if (this.#waits.ended !== undefined) return;
    this.#waits.guest.core.sf_event_set(this.address);
    this.#waits.progress();
  }

  /** Idempotent. No effect once the runtime has ended. */
  reset(): void {
    if (this.#waits.ended === undefined) this.#waits.guest.core.sf_event_reset(this.address);
  }

  /**
   * Resolves once it is set.
   *
   * @throws {StackfulError} SF_DISPOSED, or what else the runtime ended with.
   */
  async wait(options: WaitOptions = {}): Promise<void> {
    await wait(this.#waits, this.onWait(), options);
  }

  /** For a select: `wait`. */
  onWait(): Arm<undefined> {
    return { source: ARM_SOURCE.EVENT, object: this.address, take: () => undefined };
  }
}
