//! Which programs a guest may start, and which variables it may give them.

import { environmentVariable } from "../../permissions.ts";
import type { Grants } from "../backend.ts";

/** `Grants.processes`, as backends need it. */
export interface Programs {
  /** Any program; `list` is then the directories in which names are looked for. */
  readonly any: boolean;
  /** Absolute paths. */
  readonly list: readonly string[];
  readonly anyVariable: boolean;
  /** Names of variables. */
  readonly variables: readonly string[];
}

/**
 * What `grants.processes` gives; undefined: nothing.
 *
 * @param path - Directories of programs, with colons between them. Absent: as the host's PATH has it.
 * @throws {TypeError} for a program that has no absolute path, or a variable that has no name.
 */
export function readPrograms({ processes }: Grants, path?: string): Programs | undefined {
  if (processes === undefined) return undefined;
  if (processes === true) {
    const directories = path?.split(":") ?? hostDirectories();
    const list = directories.map(asPath).filter((directory) => isAbsolute(directory));
    return { any: true, list, anyVariable: true, variables: [] };
  }
  const { programs, environment = [] } = processes;
  for (const program of programs) {
    if (/^([^\0]*[^/\0])$/.test(program) && isAbsolute(asPath(program))) continue;
    throw new TypeError(`process grant: ${program} is no absolute path of a program`);
  }
  const anyVariable = environment === true;
  const variables = anyVariable ? [] : environment;
  for (const name of variables) {
    if (!/^[^=\0]+$/.test(name)) throw new TypeError(`process grant: ${name} names no variable`);
  }
  return { any: false, list: programs.map(asPath), anyVariable, variables };
}

/** Those of the host's PATH. */
function hostDirectories(): readonly string[] {
  return (environmentVariable("PATH") ?? "").split(onWindows() ? ";" : ":");
}

function onWindows(): boolean {
  return globalThis.process?.platform === "win32";
}

/** With the separator that guests use. */
function asPath(path: string): string {
  return onWindows() ? path.replaceAll("\\", "/") : path;
}

function isAbsolute(path: string): boolean {
  return path.startsWith("/") || (onWindows() && /^[A-Za-z]:\//.test(path));
}

/**
 * What a guest means by `name`, in the order in which it is to be tried; or a negated errno's name.
 */
export function findProgram(
  programs: Programs | undefined,
  name: string,
): readonly string[] | "ENOTCAPABLE" | "EINVAL" | "ENOENT" {
  if (programs === undefined) return "ENOTCAPABLE";
  const absolute = isAbsolute(name);
  if (!absolute && name.includes("/")) return "EINVAL";
  const { any, list } = programs;
  if (any && absolute) return [name];
  if (any) return list.length > 0 ? list.map((directory) => `${directory}/${name}`) : "ENOENT";
  const found = list.filter((path) => {
    return absolute ? path === name : path.slice(path.lastIndexOf("/") + 1) === name;
  });
  return found.length > 0 ? found : "ENOTCAPABLE";
}
