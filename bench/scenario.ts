/**
 * What a benchmark scenario is.
 *
 * A module bench/scenarios/NAME.ts exports `scenario: Scenario` and is listed in registry.ts. Every
 * implementation does the same work for the same parameters and proves it by its checksum; the
 * runner (main.ts, round.ts) repeats them in turns and compares.
 */

import type { Load } from "./server-run.ts";

/** One configuration. Peer programs get it as flags: `inFlight: 16` becomes `--in-flight=16`. */
export type Params = Readonly<Record<string, number>>;

/** Whose code runs. `js` is plain async functions in Node; `node` is Node's own library. */
export const families = ["stackful", "go", "tokio", "node", "js", "c"] as const;
export type Family = (typeof families)[number];

/** A family, or a variant of one such as "stackful-uring". */
export type ImplName = Family | `${Family}-${string}`;

/** The result of doing the work of a scenario once. */
export interface Sample {
  /** Keyed by a name that carries the unit, such as "ns/switch". */
  readonly metrics: Readonly<Record<string, number>>;
  /** Of the work done. Compared with `Scenario.checksum`. */
  readonly checksum: string;
  /** Whatever helps to judge the figures. Not compared; printed with --verbose. */
  readonly notes?: Readonly<Record<string, unknown>>;
}

/** Does the work once and measures itself. May be called several times in one process. */
export type Implementation = (params: Params) => Promise<Sample>;

export interface Command {
  /** The program, and its arguments. */
  readonly argv: readonly [string, ...string[]];
}

/** Starts a server that follows the protocol in server-run.ts. */
export type ServerCommand = (context: ServerContext) => Command | Promise<Command>;

export interface ServerContext {
  /** The Node binary under test. */
  readonly nodePath: string;
  /** The root of the repository, with a "/" at its end. */
  readonly root: string;
  /** Of the run. */
  readonly params: Params;
}

/** The peers that are programs of ours: the scenario's name is their subcommand. */
export type PeerProgram = "go" | "tokio" | "c";

export interface Scenario {
  readonly name: string;
  /** One line for --help. */
  readonly summary: string;
  /** The keys of `Sample.metrics`, in the order they are printed. */
  readonly metrics: readonly string[];
  /** Further keys that only some implementations report. */
  readonly metricsOf?: { readonly [Name in ImplName]?: readonly string[] };
  readonly params: { readonly smoke: readonly Params[]; readonly full: readonly Params[] };
  /** What every implementation must return for these parameters. */
  readonly checksum: (params: Params) => string;
  /** Run in a child process by run-one.ts. */
  readonly implementations: { readonly [Name in ImplName]?: Implementation };
  /** Peer programs that know this scenario. */
  readonly peers?: readonly PeerProgram[];
  /** Servers that the load is pointed at. */
  readonly servers?: { readonly [Name in ImplName]?: ServerCommand };
  /** Default: that of tcp.ts. */
  readonly load?: Load;
  /** Whom to compare with unless --peers says. Default: Go and Tokio. */
  readonly against?: readonly Family[];
  /**
   * Whether run-one.ts does the work once before it measures, so that compiled code is measured.
   * False where a first run changes what the second one sees (memory). Default: true.
   */
  readonly warmUp?: boolean;
  /** Called once nothing of it runs any more. */
  readonly cleanUp?: () => void;
}

/** The parameter, which the scenario's own lists are known to hold. */
export function param(params: Params, name: string): number {
  const value = params[name];
  if (value === undefined) throw new TypeError(`parameter ${name} is missing`);
  return value;
}
