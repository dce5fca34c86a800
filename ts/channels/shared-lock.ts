//! A lock in memory that threads share. It knows its holder, because a thread can be ended anywhere: then
//! somebody else opens it.
//!
//!   0: free       holder + 1: held       | CONTENDED: somebody may wait

const CONTENDED = 1 << 30;

/** Longest wait without looking again: whoever was to be told may be gone. */
const LOOK_MS = 10;

/** Waits for the lock at `at`, which holders keep for a few copies of memory. */
export function lock(words: Int32Array, at: number, holder: number): void {
  if (Atomics.compareExchange(words, at, 0, holder + 1) === 0) return;
  for (;;) {
    const seen = Atomics.load(words, at);
    if (seen === 0) {
      if (Atomics.compareExchange(words, at, 0, (holder + 1) | CONTENDED) === 0) return;
      continue;
    }
    const marked = seen | CONTENDED;
    if (seen === marked || Atomics.compareExchange(words, at, seen, marked) === seen) {
      Atomics.wait(words, at, marked, LOOK_MS);
    }
  }
}

export function unlock(words: Int32Array, at: number): void {
  if ((Atomics.exchange(words, at, 0) & CONTENDED) !== 0) Atomics.notify(words, at, 1);
}

/** Opens the lock if it is `holder`'s, who is gone. */
export function unlockFor(words: Int32Array, at: number, holder: number): void {
  if ((Atomics.load(words, at) & ~CONTENDED) === holder + 1) unlock(words, at);
}
