//! Whether an addon for Linux runs with any C library of GNU that is not too old, and with musl.

import { libraryNeeds } from "./elf.ts";
import { GLIBC_MIN } from "./targets.ts";

/**
 * Parts of GNU's C library. musl answers to these names itself, with all that it has; another name it
 * would look for as a file.
 */
const C_LIBRARY = /^lib(c\.so\.6|pthread\.so\.0|dl\.so\.2)$/;

/** What is in the way of that, one line each. Empty: nothing. */
export function portabilityProblems(file: string): string[] {
  const { libraries, versions, symbols } = libraryNeeds(file);
  return [
    ...libraries.filter((name) => !C_LIBRARY.test(name)).map((name) => `needs ${name}`),
    ...versions.filter(isTooNew).map((name) => `needs ${name}, not only GLIBC_${GLIBC_MIN}`),
    // musl has one size of files, and of late no second names for it.
    ...symbols.filter((name) => /^(?!napi_).*64$/.test(name)).map((name) => `uses ${name}`),
  ];
}

function isTooNew(version: string): boolean {
  const [, major, minor] = /^GLIBC_(\d+)\.(\d+)/.exec(version) ?? [];
  const [mostMajor, mostMinor] = GLIBC_MIN.split(".");
  if (major === undefined || major !== mostMajor) return true;
  return Number(minor) > Number(mostMinor);
}
