//! The clocks the guest sees. The monotonic one is also the core's: deadlines and sf_monotonic_ns
//! must agree.

/** Monotonic nanoseconds, exact to a fraction of a microsecond. */
export function monotonicNs(): number {
  return toNs(performance.now());
}

/** What the monotonic clock shows when performance.now() shows `ms`. */
export function toNs(ms: number): number {
  return Math.floor(ms * 1e6);
}

/** Nanoseconds since 1970-01-01 UTC. */
export function wallNs(): bigint {
  return BigInt(Math.floor((performance.timeOrigin + performance.now()) * 1e3)) * 1000n;
}
