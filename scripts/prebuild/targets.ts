//! The systems that the addon is cross-compiled for.

import { packageRoot } from "../../ts/package-files.ts";
import { type AddonCompilation, compileAddon, isFresh } from "../compile-addon.ts";
import { PLATFORMS, type Platform, type PlatformName } from "../platforms.ts";

export interface Target extends Platform {
  /** process.platform and process.arch: "linux-x64". */
  readonly name: string;
  readonly platform: PlatformName;
  readonly arch: string;
  /** As zig calls it. */
  readonly triple: string;
  /** Whether it is for the package; else only the sources are checked. */
  readonly shipped: boolean;
}

/** The oldest C library of GNU: that of Node 20's own binaries. */
export const GLIBC_MIN = "2.28";

const ARCHITECTURES = [
  ["x64", "x86_64"],
  ["arm64", "aarch64"],
] as const;

interface Family {
  readonly platform: PlatformName;
  /** What follows the architecture. */
  readonly triple: string;
  readonly shipped?: boolean;
}

const FAMILIES: readonly Family[] = [
  // musl takes libc.so.6 and the like for itself, and looks at no versions: one binary is for both.
  { platform: "linux", triple: `linux-gnu.${GLIBC_MIN}` },
  { platform: "darwin", triple: "macos" },
  { platform: "win32", triple: "windows-gnu" },
  { platform: "freebsd", triple: "freebsd", shipped: false },
  { platform: "netbsd", triple: "netbsd", shipped: false },
  { platform: "openbsd", triple: "openbsd", shipped: false },
];

export const TARGETS: readonly Target[] = FAMILIES.flatMap(({ platform, triple, shipped = true }) =>
  ARCHITECTURES.map(([arch, prefix]) => ({
    name: `${platform}-${arch}`,
    platform,
    arch,
    triple: `${prefix}-${triple}`,
    ...PLATFORMS[platform],
    shipped,
  })),
);

/** Where the addon for a target goes: into the package, or where only the compiler's word counts. */
export function targetFile({ name, shipped }: Target): string {
  return packageRoot(`${shipped ? "prebuilds" : "dist/checked"}/${name}/stackful.node`);
}

/**
 * Compiles the addon with zig, to the same bytes each time.
 *
 * @throws {Error} when the compiler fails; the message is what it printed.
 */
export function compileTarget(target: Target, zig: string, force: boolean): "built" | "fresh" {
  return compileAddon(compilation(target, zig), force);
}

/** Whether `compileTarget` has made it of the sources as they are. */
export function isPrebuilt(target: Target): boolean {
  return isFresh(compilation(target));
}

function compilation(target: Target, zig = "zig"): AddonCompilation {
  return {
    file: targetFile(target),
    system: target.system,
    // What is checked in a build of one's own is checked in this one.
    compiler: [zig, "cc", "-target", target.triple, "-UNDEBUG", "-s"],
    linkerFlags: target.linkerFlags,
  };
}
