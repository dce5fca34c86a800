//! Laws that an emulated machine does not keep, by title, each with the reason.

/** Set: the tests run by qemu, which makes the system calls of another machine. */
export const EMULATED = "STACKFUL_EMULATED";

const NO_GROUPS = "qemu does not know MCAST_JOIN_GROUP";

const CANNOT_HOLD: readonly (readonly [title: string, reason: string])[] = [
  ["a member hears what is sent to its group, until it leaves", NO_GROUPS],
  ["every member of a group gets each datagram", NO_GROUPS],
  ["a group of IPv6 works like one of IPv4", NO_GROUPS],
  ["MEMBERSHIP tells a second join, and a leave without one", NO_GROUPS],
  ["MEMBERSHIP says what is wrong with a group", NO_GROUPS],
  ["MEMBERSHIP needs the grant to listen at the group's address", NO_GROUPS],
  ["MEMBERSHIP: one completion, whether a cancel comes before, with or after it", NO_GROUPS],
];

/** Where nothing is emulated: none. */
export function emulatedSkips(): Readonly<Record<string, string>> {
  return process.env[EMULATED] === undefined ? {} : Object.fromEntries(CANNOT_HOLD);
}
