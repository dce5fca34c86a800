//! Where a guest's time and random numbers come from. The monotonic clock is also the core's:
//! deadlines and sf_monotonic_ns must agree.

export interface Environment {
  /** Nanoseconds from any start, never less than before; exact to a fraction of a microsecond. */
  monotonicNs(): number;
  /** Nanoseconds since 1970-01-01 UTC. */
  wallNs(): bigint;
  /** Fills all of `bytes`, of any length. */
  fillRandom(bytes: Uint8Array<ArrayBuffer>): void;
}

/** crypto.getRandomValues gives no more at once. */
const RANDOM_BYTES_MAX = 65_536;

/** The host's own. */
export const SYSTEM: Environment = {
  monotonicNs: () => toNs(performance.now()),
  wallNs: () => BigInt(Math.floor((performance.timeOrigin + performance.now()) * 1e3)) * 1000n,
  fillRandom: (bytes) => {
    for (let at = 0; at < bytes.length; at += RANDOM_BYTES_MAX) {
      crypto.getRandomValues(bytes.subarray(at, at + RANDOM_BYTES_MAX));
    }
  },
};

/** What the system's monotonic clock shows when performance.now() shows `ms`. */
export function toNs(ms: number): number {
  return Math.floor(ms * 1e6);
}
