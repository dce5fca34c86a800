//! The host's end of a semaphore in guest memory.

import { ARM_SOURCE } from "../abi.gen.ts";
import type { Arm, CoreArm } from "./arm.ts";
import type { HostWaits } from "./host-waits.ts";
import { type WaitOptions, wait } from "./select.ts";

export interface AcquireOptions extends WaitOptions {
  /** 1 to 2 ** 32 - 1. @defaultValue 1 */
  readonly permits?: number;
}

/** sizeof(struct sf_semaphore) in sync.h. */
const SEMAPHORE_BYTES = 16;

const PERMITS_MAX = 2 ** 32 - 1;

/**
 * A counting semaphore for guest and host. Waiters are served in the order in which they came. The
 * guest uses it through `sf_semaphore_*` at `address`.
 */
export class Semaphore {
  /** Pass it to the guest: a `struct sf_semaphore *`. */
  readonly address: number;
  readonly #waits: HostWaits;

  /** @internal Semaphores come from `Runtime.semaphore`. */
  constructor(waits: HostWaits, permits: number) {
    checkPermits("semaphore", permits, 0);
    this.#waits = waits;
    this.address = waits.guest.allocate(SEMAPHORE_BYTES);
    waits.guest.core.sf_semaphore_init(this.address, permits);
  }

  /** Permits that are free. */
  get permits(): number {
    return this.#waits.guest.core.sf_semaphore_permits(this.address) >>> 0;
  }

  /**
   * Takes permits; a request for many holds up smaller ones behind it. The permit gives them back:
   *
   *     using permit = await semaphore.acquire({ signal });
   *
   * @throws {RangeError} permits is not a whole number from 1 to 2 ** 32 - 1.
   * @throws {StackfulError} SF_DISPOSED, or what else the runtime ended with.
   */
  async acquire({ permits = 1, ...options }: AcquireOptions = {}): Promise<Permit> {
    return await wait(this.#waits, this.onAcquire(permits), options);
  }

  /** Takes permits if that needs no waiting; else undefined. @throws as `acquire` does. */
  tryAcquire(permits = 1): Permit | undefined {
    return this.#waits.try(this.#arm(permits))?.value;
  }

  /**
   * Adds permits: new ones, or those that another has taken. What a `Permit` holds it releases
   * itself. No effect once the runtime has ended.
   *
   * @throws {RangeError} there would be 2 ** 32 or more; nothing was released.
   */
  release(permits = 1): void {
    checkPermits("release", permits, 0);
    if (this.#waits.ended !== undefined) return;
    if (this.#waits.guest.core.sf_semaphore_release(this.address, permits) < 0) {
      throw new RangeError(`release: there would be ${this.permits + permits} permits`);
    }
    this.#waits.progress();
  }

  /** For a select: `acquire`. */
  onAcquire(permits = 1): Arm<Permit> {
    return this.#arm(permits);
  }

  #arm(permits: number): CoreArm<Permit> {
    checkPermits("acquire", permits, 1);
    return {
      source: ARM_SOURCE.SEMAPHORE,
      object: this.address,
      count: permits,
      take: () => new Permit(this, permits),
    };
  }
}

/** Permits that were taken. `using` and `await using` release them. */
export class Permit implements Disposable {
  readonly permits: number;
  #semaphore: Semaphore | undefined;

  /** @internal */
  constructor(semaphore: Semaphore, permits: number) {
    this.#semaphore = semaphore;
    this.permits = permits;
  }

  /** Gives them back. Idempotent. */
  release(): void {
    const semaphore = this.#semaphore;
    this.#semaphore = undefined;
    semaphore?.release(this.permits);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

function checkPermits(what: string, permits: number, min: number): void {
  if (Number.isInteger(permits) && permits >= min && permits <= PERMITS_MAX) return;
  throw new RangeError(`${what}: permits must be ${min} to ${PERMITS_MAX}, not ${permits}`);
}
