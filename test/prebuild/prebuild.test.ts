//! The addon as it is cross-compiled: for this machine, if it runs Linux; for the others `npm run prebuild` is there.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { libraryNeeds } from "../../scripts/prebuild/elf.ts";
import { missingInMusl } from "../../scripts/prebuild/musl.ts";
import { dllNeeds } from "../../scripts/prebuild/pe.ts";
import {
  portabilityProblems,
  targetProblems,
  windowsProblems,
} from "../../scripts/prebuild/portable.ts";
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

describe("the addon for Windows", () => {
  for (const target of TARGETS.filter(({ platform }) => platform === "win32")) {
    const title = `needs what Windows 10 has, on ${target.arch}`;
    if (!isPrebuilt(target)) {
      test.skip(`${title} [skipped: npm run prebuild has not made it]`);
      continue;
    }
    test(title, () => {
      expect(targetProblems(target)).toEqual([]);
      expect(dllNeeds(targetFile(target)).libraries).toContain("ws2_32.dll");
      expect(readFileSync(targetFile(target), "latin1")).not.toContain(packageRoot());
    });
  }

  const title = "is told by what it needs and what it is for, where that is something else";
  if (zig === undefined) {
    test.skip(`${title} [skipped: ${NO_ZIG}]`);
    return;
  }
  test(title, { timeout: 120_000 }, () => {
    const directory = mkdtempSync(join(tmpdir(), "stackful-dll-"));
    const file = join(directory, "beep.dll");
    try {
      const source =
        "__declspec(dllimport) int MessageBeep(int); int go(void) { return MessageBeep(0); }";
      writeFileSync(`${file}.c`, source);
      const flags = ["-target", "aarch64-windows-gnu", "-nostdlib", "-shared", "-Wl,--entry=go"];
      const args = ["cc", ...flags, "-o", file, `${file}.c`, "-luser32"];
      expect(spawnSync(zig.command, args, { cwd: directory }).status).toBe(0);
      expect(dllNeeds(file)).toEqual({ arch: "arm64", libraries: ["user32.dll"] });
      expect(windowsProblems(file, "x64")).toEqual(["is for arm64, not x64", "needs user32.dll"]);
    } finally {
      rmSync(directory, { recursive: true });
    }
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
