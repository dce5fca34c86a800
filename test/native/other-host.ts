import type { HostTraits } from "../../ts/host/native/host-traits.ts";

/** What is different in the runtimes that are not Node, all of it at once. */
export const OTHER_HOST: HostTraits = { wake: "thread", memoryMoves: true };

/** What the conformance suite calls the io_uring backend with these. */
export const OTHER_URING = "uring with a thread";
