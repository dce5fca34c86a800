// The host's functions of test/support/guests/stuck.c.

const LATER_MS = 100;

export const imports = {
  env: { wait: () => new Promise((resolve) => setTimeout(() => resolve(7), LATER_MS)) },
};
