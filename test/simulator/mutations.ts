//! Faults of the core, of the runtime and of the simulated host that scenarios must find.

import type { Preset } from "../../ts/host/sim/options.ts";
import type { Replacement } from "../support/faulty-core.ts";

export interface Mutation {
  /** What is wrong then. */
  readonly fault: string;
  /** Which finds it, under which faults. */
  readonly scenario: string;
  readonly faults: Preset;
  /** Any of these laws shows it: which does first depends on the seeds. */
  readonly breaks: readonly string[];
  /** In wasm/core. */
  readonly core?: Replacement;
  /** In ts, as it is without types. */
  readonly source?: Replacement;
}

export const mutations: readonly Mutation[] = [
  {
    fault: "core: what an operation has done is lost when its task is canceled in the same instant",
    scenario: "pool",
    faults: "chaos",
    breaks: ["nothing is left"],
    core: {
      file: "run.c",
      find: "    task->waiter.result = result;\n    if (result == -SF_ECANCELED)",
      replace:
        "    if (task->flags & (SF_TASK_CANCELED | SF_TASK_EXPIRED)) result = -SF_ECANCELED;\n" +
        "    task->waiter.result = result;\n    if (result == -SF_ECANCELED)",
    },
  },
  {
    fault: "core: the second timeout of a task ends no operation",
    scenario: "echo",
    faults: "chaos",
    breaks: ["a call takes no longer than its timeout"],
    core: {
      file: "run.c",
      find: "    task->flags &= (uint8_t)~SF_TASK_CANCEL_SENT;\n",
      replace: "",
    },
  },
  {
    fault: "core: a permit that is given back while somebody waits is lost",
    scenario: "pool",
    faults: "chaos",
    breaks: ["a pool has its connections back"],
    core: {
      file: "semaphore.c",
      find: "  semaphore->permits += permits;\n  semaphore_serve",
      replace:
        "  if (semaphore->waiters.first == NULL) semaphore->permits += permits;\n  semaphore_serve",
    },
  },
  {
    fault: "core: who lags is told one item too few",
    scenario: "chat",
    faults: "chaos",
    breaks: [
      "who lags is told how many it missed",
      "who stays hears every message, or of how many it missed",
    ],
    core: {
      file: "broadcast.c",
      find: "consumer->missed += behind - broadcast->count;",
      replace: "consumer->missed += behind - broadcast->count - 1;",
    },
  },
  {
    fault: "runtime: a loop that was given completions waits for the next event",
    scenario: "echo",
    faults: "chaos",
    breaks: ["every run ends"],
    source: {
      file: "sched/driven-loop.ts",
      find: "(delivered > 0 || this.hasMore(ready))",
      replace: "this.hasMore(ready)",
    },
  },
  {
    fault: "backend: a read that was canceled still takes the bytes that come",
    scenario: "echo",
    faults: "chaos",
    breaks: ["every byte is the one that was sent"],
    source: {
      file: "host/resources/stream.ts",
      find: "this.#reads.remove(operation) || this.#writes.remove(operation)",
      replace: "operation.queue === this.#reads || this.#writes.remove(operation)",
    },
  },
  {
    fault: "host: a sync is acknowledged and makes nothing durable",
    scenario: "kv",
    faults: "chaos",
    breaks: ["a store holds what it acknowledged, and reads see it"],
    source: {
      file: "host/sim/file-handle.ts",
      find: "      this.#node.sync();\n",
      replace: "",
    },
  },
  {
    fault: "host: a sync makes the bytes durable, and not the name",
    scenario: "copy",
    faults: "chaos",
    breaks: ["under a final name there is a whole copy", "what was copied is durable"],
    source: {
      file: "host/sim/disk-node.ts",
      find: "        this.syncNames();\n        this.content.sync();\n",
      replace: "        this.content.sync();\n",
    },
  },
];
