//! Whose released handles a backend may adopt: of those that were opened with the same key.

const POOL_KEY_BYTES = 16;

/** One that nobody else has. */
export function newPoolKey(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(POOL_KEY_BYTES));
}
