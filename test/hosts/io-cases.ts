//! Cases of the shared suite that need sockets or files, and what a guest hears that may not have them.

import { ERRNO } from "../../ts/abi.gen.ts";
import { type HostCase, law, same } from "./bench.ts";

export const ioCases: readonly HostCase[] = [
  law("TCP: what 20 clients send comes back, to the end of each side", "io", "tcp_echo", "tcp"),
  law("TCP: a wait whose time is up took nothing", "io", "tcp_timeouts", "tcp"),
  law("TCP: a read is canceled", "io", "tcp_cancel", "tcp"),
  law("UDP: datagrams are answered to who sent them", "io", "udp_answers", "udp"),
  law("files: what was written and synced is read back", "io", "file_written", "files"),
  law("files: nothing outside the granted directory opens", "io", "file_refused", "files"),
  law(
    "files: a lock is waited for, until a time or until it is given",
    "io",
    "file_locked",
    "files",
  ),
  law("files: one is copied, read whole, and found in its directory", "io", "file_copied", "files"),
  {
    title: "what is not granted is refused, what the backend lacks is said",
    async run(bench) {
      const runtime = await bench.io({ grants: {} });
      const { ENOSYS, ENOTCAPABLE } = ERRNO;
      const refusal = bench.place.backend === "none" ? -ENOSYS : -ENOTCAPABLE;
      same(await runtime.spawn("connect_anywhere"), refusal);
    },
  },
];
