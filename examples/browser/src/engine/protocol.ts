//! What the page and the engine say to each other. The engine runs in the page or in a worker, and is told
//! and asked the same in both: everything here can be posted, and what is large is typed arrays.

/** What the sliders say. */
export interface Settings {
  /** Coroutines in the whole network, about. */
  readonly tasks: number;
  /** From host to host, one way. */
  readonly latencyMs: number;
  /** Of the segments that are sent, 0 to 1. */
  readonly loss: number;
  /** Virtual seconds for each real one. */
  readonly speed: number;
  readonly seed: number;
}

export type HostKind = "echo-client" | "echo-server" | "chat-server" | "chat-client";

/** A host of the network: they are always the same, in this order. */
export interface HostPlan {
  readonly name: string;
  readonly kind: HostKind;
}

export const HOSTS: readonly HostPlan[] = [
  { name: "load-1", kind: "echo-client" },
  { name: "load-2", kind: "echo-client" },
  { name: "load-3", kind: "echo-client" },
  { name: "echo-1", kind: "echo-server" },
  { name: "echo-2", kind: "echo-server" },
  { name: "chat-1", kind: "chat-server" },
  { name: "chat-2", kind: "chat-server" },
  { name: "people-1", kind: "chat-client" },
  { name: "people-2", kind: "chat-client" },
  { name: "people-3", kind: "chat-client" },
];

/** A client host and a server that its clients turn to, as indexes into HOSTS. */
export interface Link {
  readonly client: number;
  readonly server: number;
}

const SERVER_OF: Partial<Record<HostKind, HostKind>> = {
  "echo-client": "echo-server",
  "chat-client": "chat-server",
};

export const LINKS: readonly Link[] = HOSTS.flatMap((from, client) =>
  HOSTS.flatMap((to, server) => (SERVER_OF[from.kind] === to.kind ? [{ client, server }] : [])),
);

export const isServer = (kind: HostKind): boolean => kind.endsWith("-server");

/** Indexes into HOSTS. */
export const SERVERS: readonly number[] = [...HOSTS.keys()].filter((host) =>
  isServer(HOSTS[host]!.kind),
);

export type Command =
  | { readonly type: "open"; readonly settings: Settings }
  | { readonly type: "set"; readonly settings: Settings }
  | { readonly type: "pause"; readonly paused: boolean }
  | { readonly type: "step" }
  /** The process of a host dies, or starts again. */
  | { readonly type: "kill" | "restart"; readonly host: number }
  /** One host, or without one every server, loses its links, or gets them back. */
  | { readonly type: "cut" | "heal"; readonly host?: number }
  /** Which coroutine is told of in every picture from now on. */
  | { readonly type: "select"; readonly host: number; readonly cell: number }
  | { readonly type: "unselect" };

/** In a cell: it has been entered since the picture before. The rest is an index into `waits`; 0: empty. */
export const CELL_RAN = 0x80;
export const CELL_WAIT = 0x7f;

export interface HostStatus {
  readonly up: boolean;
  /** Its links are cut. */
  readonly cut: boolean;
  readonly tasks: number;
  /** How many of `Picture.cells` are this host's. */
  readonly cells: number;
}

/** What is counted from the start of the world; the page makes rates of it. */
export interface Totals {
  readonly virtualNs: number;
  readonly switches: number;
  readonly turns: number;
  /** Answers that were right, and lines that were heard. */
  readonly messages: number;
  /** Real time that programs have run, in ms. */
  readonly runMs: number;
}

export interface TaskDetail {
  readonly host: number;
  readonly cell: number;
  readonly id: number;
  readonly entry: string;
  readonly state: string;
  /** One of `Picture.waits`. */
  readonly wait: WaitName;
  /** The same with its object: which channel, which task. */
  readonly waitsFor: string;
  readonly waitsMs: number;
  readonly ageMs: number;
  readonly switches: number;
  readonly stackBytes: number;
  readonly stackUsedBytes: number;
  readonly stack: readonly string[];
}

/** Everything that is drawn at once. */
export interface Picture {
  /** Counts the worlds that were opened. */
  readonly world: number;
  readonly seed: number;
  readonly hosts: readonly HostStatus[];
  /** The cells of every host, one host after the other. */
  readonly cells: Uint8Array;
  /** What the indexes in `cells` stand for. */
  readonly waits: readonly WaitName[];
  /** How many tasks of each program are in each of `waits`: waits.length numbers for each host kind. */
  readonly waitCounts: Readonly<Record<HostKind, Uint32Array>>;
  /** Messages that are under way: link * 2 + (1 from the server), and how far, 0 to 1. */
  readonly messages: Float32Array;
  /** Where there are too many for that: how many in each part of each link and direction. */
  readonly density: Uint16Array | undefined;
  /** Since the picture before, by link: segments that were lost. */
  readonly lost: Uint16Array;
  readonly totals: Totals;
  /** Bytes of stacks and control blocks, for each coroutine. */
  readonly bytesPerTask: number;
  readonly memoryBytes: number;
  /** By enum sf_errno, of all programs together. */
  readonly errors: Uint32Array;
  readonly task: TaskDetail | undefined;
  /** Why the world stands still, if something broke. */
  readonly failure: string | undefined;
}

/** A state that a coroutine is in: "ready", "operation read", "channel receive". */
export type WaitName = string;

/** Parts of a link in `density`. */
export const DENSITY_PARTS = 48;

/** The engine, wherever it runs. */
export interface Engine {
  send(command: Command): void;
  /**
   * Lets the world run for at most `budgetMs` and takes a picture. In a worker that happens meanwhile:
   * this returns the newest picture there is, and undefined until there is one.
   */
  frame(budgetMs: number): Picture | undefined;
  /** The fingerprint of a fresh world after so much virtual time, without what the page does to this one. */
  fingerprint(settings: Settings, virtualMs: number): Promise<string>;
  close(): void;
}
