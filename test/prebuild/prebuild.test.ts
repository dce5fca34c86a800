//! The addon as it is cross-compiled: for this machine, if it runs Linux; for the others `npm run prebuild` is there.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { beforeAll, describe, expect, test } from "vitest";
import { libraryNeeds } from "../../scripts/prebuild/elf.ts";
import { missingInMusl } from "../../scripts/prebuild/musl.ts";
import { portabilityProblems } from "../../scripts/prebuild/portable.ts";
import { compileTarget, isPrebuilt, TARGETS, targetFile } from "../../scripts/prebuild/targets.ts";
import { findZig, NO_ZIG } from "../../scripts/prebuild/zig.ts";
import { ABI_VERSION } from "../../ts/abi.gen.ts";
import { packageRoot } from "../../ts/package-files.ts";

const zig = findZig();

describe("targets", () => {
  test("are Linux, macOS and Windows, each for x64 and arm64; the BSDs are compiled only", () => {
    const names = (shipped: boolean) =>
      TARGETS.filter((target) => target.shipped === shipped).map(({ name }) => name);
    expect(names(true)).toEqual([
      "linux-x64",
      "linux-arm64",
      "darwin-x64",
      "darwin-arm64",
      "win32-x64",
      "win32-arm64",
    ]);
    expect(new Set(names(false).map((name) => name.split("-")[0]))).toEqual(
      new Set(["freebsd", "netbsd", "openbsd"]),
    );
  });
});

describe("the addon for Linux", () => {
  const here = TARGETS.find(({ name }) => name === `${process.platform}-${process.arch}`);
  if (zig === undefined || here?.system !== "linux") {
    const reason = zig === undefined ? NO_ZIG : `this is ${process.platform}`;
    test.skip(`is made by zig [skipped: ${reason}]`);
    return;
  }
  const file = targetFile(here);
  beforeAll(() => {
    compileTarget(here, zig.command, false);
  });

  test("is up to date once it is made, and made again it has the same bytes", {
    timeout: 300_000,
  }, () => {
    expect(isPrebuilt(here)).toBe(true);
    const first = readFileSync(file);
    expect(compileTarget(here, zig.command, true)).toBe("built");
    expect(readFileSync(file).equals(first)).toBe(true);
  });

  test("needs a C library and nothing else: one of GNU that Node needs too, or musl", () => {
    expect(portabilityProblems(file)).toEqual([]);
    expect(missingInMusl(file, zig.command)).toEqual([]);
    // The file was understood.
    const { libraries, symbols } = libraryNeeds(file);
    expect(libraries).toContain("libc.so.6");
    expect(symbols).toEqual(expect.arrayContaining(["malloc", "napi_create_int32"]));
  });

  test("names no directory of the machine that it was made on", () => {
    expect(readFileSync(file, "latin1")).not.toContain(packageRoot());
  });

  test("loads", () => {
    const { abiVersion } = createRequire(import.meta.url)(file) as { abiVersion: number };
    expect(abiVersion).toBe(ABI_VERSION);
  });
});

describe("the sources for kqueue", () => {
  const title = "are C for";
  for (const name of ["freebsd-x64", "netbsd-x64", "openbsd-x64"]) {
    if (zig === undefined) {
      test.skip(`${title} ${name} [skipped: ${NO_ZIG}]`);
      continue;
    }
    test(`${title} ${name}`, { timeout: 300_000 }, () => {
      compileTarget(TARGETS.find((target) => target.name === name)!, zig.command, false);
    });
  }
});

describe("a program for Linux that needs more", () => {
  if (process.platform !== "linux") {
    test.skip(`is told by what it needs [skipped: this is ${process.platform}]`);
    return;
  }

  test("is told by what it needs: Node, which needs the library of C++", () => {
    const { libraries } = libraryNeeds(process.execPath);
    const others = libraries.filter((name) => /^lib(stdc\+\+|m)\./.test(name));
    expect(others).not.toEqual([]);
    const problems = portabilityProblems(process.execPath);
    expect(problems).toEqual(expect.arrayContaining(others.map((name) => `needs ${name}`)));
  });
});
