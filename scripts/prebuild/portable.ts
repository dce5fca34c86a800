//! Whether an addon runs on every machine that it is for: on Linux with any C library of GNU that is not too old and
//! with musl, on Windows with what Windows 10 has.

import { libraryNeeds } from "./elf.ts";
import { dllNeeds } from "./pe.ts";
import { GLIBC_MIN, type Target, targetFile } from "./targets.ts";

/**
 * Parts of GNU's C library. musl answers to these names itself, with all that it has; another name it
 * would look for as a file.
 */
const C_LIBRARY = /^lib(c\.so\.6|pthread\.so\.0|dl\.so\.2)$/;

/** Parts of every Windows since 10. The C library is one of them; what is Node's own is not imported, but looked up. */
const WINDOWS_10 = /^(kernel32|ntdll|ws2_32|mswsock|advapi32|api-ms-win-crt-[a-z]+-l1-1-0)\.dll$/;

/** What is in the way of that, one line each. Empty: nothing, or there is no telling for this system. */
export function targetProblems(target: Target): string[] {
  const file = targetFile(target);
  if (target.system === "linux") return portabilityProblems(file);
  return target.system === "windows" ? windowsProblems(file, target.arch) : [];
}

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

/** `arch`: process.arch of the machines that it is for. */
export function windowsProblems(file: string, arch: string): string[] {
  const needs = dllNeeds(file);
  return [
    ...(needs.arch === arch ? [] : [`is for ${needs.arch}, not ${arch}`]),
    ...needs.libraries.filter((name) => !WINDOWS_10.test(name)).map((name) => `needs ${name}`),
  ];
}
