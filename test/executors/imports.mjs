// The host's functions of test/support/guests/executors.c, as every executor imports them.

const ACTS = {
  1: () => process.exit(3),
  2: () =>
    setImmediate(() => {
      throw new Error("thrown on purpose");
    }),
};

/** @param {{ executor: number, executors: number }} place */
export function imports({ executor, executors }) {
  return {
    env: {
      place: () => 100 * executors + executor,
      act: (what) => {
        ACTS[what]?.();
        return 0;
      },
    },
  };
}
