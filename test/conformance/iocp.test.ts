//! In Windows: the laws. Elsewhere: this same file, run in Windows Node under Wine.

import { describe, expect, test } from "vitest";
import { findWindows } from "../../scripts/windows.ts";
import { runInWine } from "../support/wine.ts";
import { nativeConformance } from "./native-conformance.ts";

/** Of sockets, datagrams, files, paths, pipes and processes. */
const SAMPLE =
  "^(ACCEPT|CONNECT|SEND_TO|OPEN|PREAD|PWRITE|RENAME|MKDIR|a pipe's|WRITE to a full pipe|WAIT tells the code)";

/** Laws that cannot hold there, by the reason. */
const CANNOT_HOLD: Readonly<Record<string, readonly string[]>> = {
  "Windows has no ports that several listeners share": [
    "listeners that share a port get all of its connections between them",
    "a port is shared among those who want it only",
    "each datagram to a shared port goes to one of its sockets",
  ],
  "Wine 8 does not know MCAST_JOIN_GROUP": [
    "a member hears what is sent to its group, until it leaves",
    "every member of a group gets each datagram",
    "a group of IPv6 works like one of IPv4",
    "MEMBERSHIP tells a second join, and a leave without one",
    "MEMBERSHIP says what is wrong with a group",
    "MEMBERSHIP needs the grant to listen at the group's address",
    "MEMBERSHIP: one completion, whether a cancel comes before, with or after it",
  ],
  "Wine 8 does not know TCP_KEEPIDLE": [
    "an option of a connection is what it was set to",
    "an accepted connection has the options of its listener",
    "a connection works whatever its options are",
  ],
  "Wine 8 does nothing else while a connection lingers": [
    "connections that linger do not keep a backend that is disposed",
  ],
  "Wine 8 needs many seconds for it": ["128 KiB come back unchanged through 37-byte buffers"],
  "Wine 8 binds another address then": [
    "UDP_BIND on an address the host does not have gives -EADDRNOTAVAIL",
  ],
  "Wine 8 does not tell a receive that waits": [
    "RECEIVE_FROM on a connected UDP socket is told -ECONNREFUSED too",
  ],
  "Node under Wine 8 ends a connection that it is to reset": [
    "a reset by the peer ends a waiting READ with -ECONNRESET",
    "a reset by the peer is told to the next READ",
    "a reset is told once, whether at once or not: then a stream is at its end",
  ],
  "Wine 8 takes the name when the file is closed": [
    "UNLINK takes the name; who has the file open keeps it",
    "TEMPORARY makes a file that no name leads to",
  ],
  "Windows has no signals": [
    "WAIT tells the signal that ends a child",
    "KILL sends a signal, which ends the child or not",
  ],
  "Windows has no permission to execute, and runs no scripts": [
    "SPAWN of what is no program fails, with the reason of the system",
  ],
  "on Windows a socket is no stream of a child": [
    "a child talks to the peer of a connection that it is given",
    "a guest goes on with a socket that it has given away, and no thread waits",
  ],
  "on Windows a file that is waited for has no position that a child could share": [
    "a child goes on in a file where the guest is",
  ],
  "on Windows a pair goes over the loopback, which takes a first WRITE to a closed end": [
    "a pair of streams carries bytes both ways, and ends one way at a time",
  ],
  "Windows pairs no sockets of datagrams": [
    "a pair of datagram sockets keeps what is written apart",
    "RECEIVE_FROM of a pair of datagram sockets tells no address",
  ],
  "Windows exchanges no names": [
    "RENAME replaces nothing when it must not, and exchanges, or gives -ENOTSUP",
  ],
  "Windows locks no directories": ["directories have locks, sockets none, and there are no others"],
  "Windows gives no name to an open file": ["a file without a name gets one by LINK, or -ENOTSUP"],
  "Windows has no permission bits": [
    "a created file has the permission bits asked for",
    "MKDIR makes a directory, RMDIR removes it when it is empty",
    "STAT tells what a file is",
    "ACCESS tells what may be done",
    "an empty path means the open file",
    "CHMOD sets permission bits, and makes no set-user-ID file",
    "CHMOD follows a link, and cannot change one",
    "CHOWN keeps what it is told to keep",
  ],
  "Wine 8 has no symbolic links": [
    "STAT follows the last link, unless it must not",
    "UTIMES of a link itself leaves its target alone",
    "TRUNCATE cuts a file, and adds zeros",
    "READLINK leaves out what has no room",
    "READLINK of what is no link gives -EINVAL",
    "LINK does not follow a link: that gets the name",
    "UNLINK removes a link, not what it leads to",
    "UNLINK removes no directory, RMDIR nothing else",
    "MKDIR refuses a name that is taken, or none",
    "RENAME moves a link, not what it leads to",
    "NO_FOLLOW gives -ELOOP on a link, and follows those before it",
    "nothing relative to a directory's handle leads out of it",
    "entries have their kinds",
    "an entry's inode is what STAT says, or 0 where the host does not say it",
    "no link leads out of a granted directory",
    "links that stay inside are followed",
    "a read-only directory refuses every change with -EROFS",
    "what lies outside guest memory gives -EFAULT",
    "EXCLUSIVE does not follow a link: -EEXIST",
    "links that go on too long give -ELOOP",
    "SYMLINK makes a link of any text, and READLINK tells it",
    "SYMLINK refuses a name that is taken, or none",
    "no operation on a path goes through a link that leads out",
    "what follows a last link does not follow it out",
    "a slash behind a link that leads out does not lead out",
    "operations on a last link work on the link, wherever it leads",
    "links that the guest makes lead nowhere that it may not go",
    "SYMLINK: one completion, whether a cancel comes before, with or after it",
    "READLINK: one completion, whether a cancel comes before, with or after it",
    "a path that leads nowhere gives -ENOENT or -ENOTDIR",
    "paths lie in the directory whose handle is given",
    "no path leads out of the directory whose handle is given",
    "SPAWN in a directory that is missing, or none, or not granted fails",
    "a directory that becomes a link while paths lead through it lets none out",
  ],
};

if (process.platform === "win32") {
  const skips = Object.entries(CANNOT_HOLD).flatMap(([reason, titles]) =>
    titles.map((title) => [title, reason] as const),
  );
  await nativeConformance("iocp", Object.fromEntries(skips));
} else {
  const windows = findWindows();
  describe("iocp backend", () => {
    if (typeof windows === "string") {
      test.skip(`keeps the laws [skipped: ${windows}]`);
      return;
    }
    test("keeps laws of each kind, of which npm run conformance tries all", async () => {
      const { results, broken } = await runInWine(windows, { limitMs: 280_000, pattern: SAMPLE });
      const failed = results.filter(({ status }) => status === "failed");
      expect({ failed, broken }).toEqual({ failed: [], broken: undefined });
      expect(results.length).toBeGreaterThan(20);
    }, 300_000);
  });
}
