//! Before the package is packed: prebuilds/ has only what the sources are now.
//!
//! What is out of date is left out. For this machine the build of its own stands in, where none was
//! made that others can use: then the package has one at least here.

import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { addonFile, prebuiltAddonFile } from "../ts/host/native/load-addon.ts";
import { stampOf } from "./compile-addon.ts";
import { isPrebuilt, TARGETS, targetFile } from "./prebuild/targets.ts";

/** Returns what was done, one line each. May run several times at once. */
export function packAddons(): string[] {
  const own = addonFile();
  const here = prebuiltAddonFile();
  const lines: string[] = [];
  for (const target of TARGETS.filter(({ shipped }) => shipped)) {
    const file = targetFile(target);
    if (isPrebuilt(target)) continue;
    if (file === here && existsSync(own)) {
      if (!sameBytes(own, file)) replace(own, file);
      lines.push(`${target.name}: the build for this machine; npm run prebuild makes one for any`);
    } else if (existsSync(file)) {
      rmSync(file, { force: true });
      lines.push(`${target.name}: left out, it is out of date: npm run prebuild`);
    }
  }
  return lines;
}

function sameBytes(one: string, other: string): boolean {
  return existsSync(other) && readFileSync(one).equals(readFileSync(other));
}

function replace(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  const temporary = `${to}.${process.pid}`;
  copyFileSync(from, temporary);
  renameSync(temporary, to);
  rmSync(stampOf(to), { force: true });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  for (const line of packAddons()) process.stderr.write(`pack: ${line}\n`);
}
