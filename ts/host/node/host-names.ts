//! The names of the machine: the files that its own resolver reads.

import { getServers } from "node:dns";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ERRNO } from "../../abi.gen.ts";
import { StackfulError } from "../../errors.ts";
import { flagOf, permitted } from "../../permissions.ts";
import type { Grants } from "../backend.ts";
import { errnoOf } from "../resources/errno.ts";
import { type NameFiles, type Names, namesOf } from "../resources/names.ts";

const HOSTS =
  process.platform === "win32"
    ? join(process.env.SystemRoot ?? "C:\\Windows", "System32", "drivers", "etc", "hosts")
    : "/etc/hosts";

/**
 * What `grants.dns` gives on this machine; undefined: nothing.
 *
 * @throws {StackfulError} `SF_IO` when a file of the host cannot be read. One that is not there is
 *   empty; without a configuration the system is asked for its name servers.
 * @throws {TypeError} or RangeError for a server that is not one.
 */
export async function openNames({ dns }: Grants): Promise<Names | undefined> {
  if (dns === undefined) return undefined;
  const grant = dns === true ? {} : dns;
  const files: NameFiles = {
    configuration: grant.configuration ?? (await read("/etc/resolv.conf")) ?? systemServers(),
    hosts: grant.hosts ?? (await read(HOSTS)) ?? "",
  };
  return namesOf(grant, files);
}

async function read(path: string): Promise<string | undefined> {
  const permission = { name: "read", path } as const;
  if (!permitted(permission)) {
    throw new StackfulError("SF_IO", `grant dns: reading ${path} needs ${flagOf(permission)}`, {
      errno: "ENOTCAPABLE",
      hint: "or give configuration and hosts as text",
    });
  }
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === ERRNO.ENOENT) return undefined;
    throw new StackfulError("SF_IO", `grant dns: reading ${path}: ${String(cause)}`, { cause });
  }
}

function systemServers(): string {
  return getServers()
    .map((server) => `nameserver ${server}\n`)
    .join("");
}
