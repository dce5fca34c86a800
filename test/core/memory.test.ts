import { lawsOf } from "../support/runtime.ts";

const { law } = lawsOf("memory");
const MIB = 1024 * 1024;
const options = { stackBytes: 65_536 };

law("malloc and stacks by turns never overlap", "malloc_beside_tasks", [5_000, 2_000], options);
law(
  "large blocks and stacks by turns never overlap",
  "malloc_beside_tasks",
  [900_000, 100],
  options,
);
law("malloc of 100 MiB while tasks are parked", "large_malloc", [100 * MIB], options);
law("malloc is NULL at guestMemoryBytes, and tasks go on", "malloc_at_the_limit", [], {
  limits: { guestMemoryBytes: 16 * MIB },
});
law(
  "memory.grow continues where memory.size said, whatever tasks took",
  "grow_is_contiguous",
  [50],
);
law("memory.grow is -1 above guestMemoryBytes", "grow_past_the_limit", [128], {
  limits: { guestMemoryBytes: 8 * MIB },
});
law("spawn is ENOMEM when the address space is used up, and works again later", "regions_run_out");
