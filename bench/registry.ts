import type { Scenario } from "./scenario.ts";

/** Loaded one by one, so that a scenario that cannot be loaded does not stop the others. */
const loaders: Readonly<Record<string, () => Promise<{ scenario: Scenario }>>> = {
  switch: () => import("./scenarios/switch.ts"),
  "ping-pong": () => import("./scenarios/ping-pong.ts"),
  spawn: () => import("./scenarios/spawn.ts"),
  parked: () => import("./scenarios/parked.ts"),
  mutex: () => import("./scenarios/mutex.ts"),
  rwlock: () => import("./scenarios/rwlock.ts"),
  condition: () => import("./scenarios/condition.ts"),
  "fan-in": () => import("./scenarios/fan-in.ts"),
  "fan-out": () => import("./scenarios/fan-out.ts"),
  "ping-pong-100": () => import("./scenarios/ping-pong-100.ts"),
  select: () => import("./scenarios/select.ts"),
  "spawn-tree": () => import("./scenarios/spawn-tree.ts"),
  "task-chain": () => import("./scenarios/task-chain.ts"),
  million: () => import("./scenarios/million.ts"),
  "sleep-10k": () => import("./scenarios/sleep-10k.ts"),
  timers: () => import("./scenarios/timers.ts"),
  "tcp-echo": () => import("./scenarios/tcp-echo.ts"),
  "file-read": () => import("./scenarios/file-read.ts"),
  "file-walk": () => import("./scenarios/file-walk.ts"),
  "file-write": () => import("./scenarios/file-write.ts"),
  tcp: () => import("./scenarios/tcp.ts"),
  "tcp-executors": () => import("./scenarios/tcp-executors.ts"),
  http: () => import("./scenarios/http.ts"),
  link: () => import("./scenarios/link.ts"),
};

export const scenarioNames: readonly string[] = Object.keys(loaders);

/** A name of a scenario, or of several. */
export function scenariosOf(name: string): readonly string[] {
  if (name === "all") return scenarioNames;
  const group = scenarioNames.filter((scenario) => scenario.startsWith(`${name}-`));
  return Object.hasOwn(loaders, name) || group.length === 0 ? [name] : group;
}

/** @throws {RangeError} for an unknown name; the message lists the known ones. */
export async function loadScenario(name: string): Promise<Scenario> {
  const load = Object.hasOwn(loaders, name) ? loaders[name] : undefined;
  if (load === undefined) {
    throw new RangeError(`unknown scenario "${name}" (known: ${scenarioNames.join(", ")})`);
  }
  return (await load()).scenario;
}
