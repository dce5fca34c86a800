//! The packages that compiling and linking need, and running does not. Whoever links installs them.

import { type Manifest, packageManifest } from "../package-files.ts";

/** The command that installs `name` in a version that works with this one. */
export function installCommand(name: keyof Manifest["peerDependencies"]): string {
  const range = packageManifest().peerDependencies[name];
  // The major version says the same as a caret range, and no shell takes it for something else.
  return `npm install --save-dev ${name}@${range.replace(/^\^(\d+)\..*$/, "$1")}`;
}
