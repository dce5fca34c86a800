// Loaded into vitest: its workers, which run the tests, are another Node. What reads and compiles
// the tests stays in this one, for which its native parts were installed.
process.execPath = process.env.STACKFUL_WORKER_NODE;
