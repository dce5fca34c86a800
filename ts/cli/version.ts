import { packageManifest } from "../package-files.ts";

export function packageVersion(): string {
  return packageManifest().version;
}
