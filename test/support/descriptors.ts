//! What this process has open.

import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** What each descriptor is of: "/tmp/file", "socket:[1234]", "anon_inode:[io_uring]". On Linux. */
export function openDescriptors(): string[] {
  // A runtime opens some for itself when it first needs them: Deno for timers, Bun for its output.
  const local = readFileSync("/proc/net/unix", "utf8");
  const isLocal = (link: string): boolean => {
    const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
    return inode !== undefined && new RegExp(` ${inode}\\b`).test(local);
  };
  const links = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ""; // The one that readdir used.
    }
  });
  return links.filter((link) => !isLocal(link)).sort();
}
