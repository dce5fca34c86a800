import { readFileSync } from "node:fs";
import { packageRoot } from "../package-files.ts";

export function packageVersion(): string {
  const text = readFileSync(packageRoot("package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
