//! A program that uses everything stackful/sim exports. As program.ts: compiled, never run.

import { Runtime } from "stackful";
import {
  type ConnectionView,
  type ConsoleOptions,
  type FileOptions,
  type HostOptions,
  type NameOptions,
  type NetworkOptions,
  PRESETS,
  type Preset,
  type ProcessOptions,
  type Random,
  type SimChanges,
  type SimConsole,
  SimDisk,
  type SimHost,
  type SimOptions,
  type SimProcess,
  type SimProgram,
  type SimSignal,
  World,
  type WorldEvent,
  type WorldOptions,
} from "stackful/sim";

const network: Partial<NetworkOptions> = { latencyMs: 10, shortReads: 0.1 };
const files: Partial<FileOptions> = { ioErrors: 0.01 };
const name: NameOptions = { addresses: ["10.1.0.1"], ttlSeconds: 5 };
const processes: Partial<ProcessOptions> = { spawnFailures: 0.1, startMs: 1 };
const changes: SimChanges = { network, files, processes };
const terminal: ConsoleOptions = { terminal: { columns: 80, rows: 24 } };

const upper: SimProgram = async (process: SimProcess) => {
  const signal: SimSignal = "SIGTERM";
  process.onSignal(signal, () => process.exit(1));
  for (let data = await process.read(); data.length > 0; data = await process.read()) {
    await process.write(new TextDecoder().decode(data).toUpperCase());
  }
  return process.arguments.length;
};

export async function simulate(guest: URL, preset: Preset): Promise<string> {
  const options: WorldOptions = { ...changes, seed: "a seed", preset, trace: "hash" };
  await using world = new World(options);
  world.addName("service.example", name);
  const lost: string[] = [];
  world.onEvent = (event: WorldEvent) => {
    if (event.type === "drop") lost.push(`${event.from} to ${event.to}`);
  };
  const where: HostOptions = { ipv4: "10.1.0.1" };
  const server: SimHost = world.host("server", where);
  const disk: SimDisk = server.disk;
  if (disk instanceof SimDisk) disk.writeFile("/data/greeting", "hello");
  const client = world.host("client");
  await using runtime = await Runtime.create(guest, { backend: server });
  world.after(100, () => world.partition(server, client));
  world.configure({ network: { latencyMs: PRESETS.lan.network.latencyMs } });
  const connections: readonly ConnectionView[] = [...world.connections];
  server.program("/bin/upper", upper);
  const console: SimConsole = server.console(terminal);
  console.onSignal = (signal) => void runtime.raise(signal);
  console.write("typed\n");
  const shown: Uint8Array = console.output();
  const random: Random = world.random;
  const used: SimOptions = PRESETS[preset];
  await runtime.run();
  return `${world.seed} ${lost} ${connections.length} ${shown.length} ${random.next()} ${used.files.latencyMs}`;
}
