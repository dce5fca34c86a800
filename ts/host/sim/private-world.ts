//! A world for one process alone: what the backend called "sim" is when no world is given.

import { environmentVariable } from "../../permissions.ts";
import type { Backend, BackendOptions } from "../backend.ts";
import { BaseWorld, type WorldOptions } from "./base-world.ts";

class PrivateWorld extends BaseWorld {}

/**
 * Opens a process in a world of its own, on an empty disk that has the directories which the grants
 * name. The environment variable STACKFUL_SEED, where it is set, is the seed. What the guest gets for
 * random numbers comes from it too: nothing for secrets.
 */
export async function openPrivateWorld(
  options: BackendOptions,
  worldOptions: WorldOptions = {},
): Promise<Backend> {
  const seed = environmentVariable("STACKFUL_SEED");
  const world = new PrivateWorld({ ...(seed === undefined ? {} : { seed }), ...worldOptions });
  const host = world.host("localhost");
  for (const { host: path } of options.grants.directories ?? []) host.disk.makeDirectory(path);
  return host.open(options);
}
