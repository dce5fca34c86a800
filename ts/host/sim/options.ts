//! What can be chosen in a simulated world, its units and ranges, and the presets.

/** How the network between hosts behaves, and within one. Probabilities are from 0 to 1. */
export interface NetworkOptions {
  /** One way between two hosts, in milliseconds, 0 to 3600000. */
  readonly latencyMs: number;
  /** Added to every packet's latency: from 0 to this, evenly, in milliseconds, 0 to 3600000. */
  readonly jitterMs: number;
  /** What each direction between two hosts carries, in bytes per second, at least 1; or Infinity. */
  readonly bandwidthBytesPerSecond: number;
  /** What a connection holds that its reader has not taken, in bytes, 1 to 2^30. */
  readonly receiveBufferBytes: number;
  /** What a connection takes from a writer and cannot send yet, in bytes, 1 to 2^30. */
  readonly sendBufferBytes: number;
  /** Probability that a READ gets less than what is there. */
  readonly shortReads: number;
  /** Probability that a WRITE takes less than what has room. */
  readonly shortWrites: number;
  /** Probability, of each segment, that something on the way resets its connection. */
  readonly resets: number;
  /** Probability, of each connection, that it is reset within its first 32 segments. */
  readonly connectionResets: number;
  /** Probability, of each segment of a connection, that it is lost once and comes late. */
  readonly segmentLoss: number;
  /** Probability that a CONNECT is refused although somebody listens. */
  readonly connectRefused: number;
  /** How long a CONNECT tries to reach a host that does not answer, in milliseconds, 1 to 3600000. */
  readonly connectTimeoutMs: number;
  /** How long a connection tries to get bytes to its peer, in milliseconds, 1 to 3600000. */
  readonly retransmitTimeoutMs: number;
  /** Probability that a datagram is lost. */
  readonly datagramLoss: number;
  /** Probability that a datagram arrives twice. */
  readonly datagramDuplicates: number;
  /** Probability that a datagram is held back so that later ones overtake it. */
  readonly datagramReorder: number;
}

/** How files behave. Probabilities are from 0 to 1. */
export interface FileOptions {
  /** What an operation takes, in milliseconds, 0 to 3600000. */
  readonly latencyMs: number;
  /** Added to it: from 0 to this, evenly, in milliseconds, 0 to 3600000. */
  readonly jitterMs: number;
  /** What an FSYNC takes besides, in milliseconds, 0 to 3600000. */
  readonly syncMs: number;
  /** Probability that a READ or PREAD gets less than what is there. */
  readonly shortReads: number;
  /** Probability that a WRITE or PWRITE takes less than it was given. */
  readonly shortWrites: number;
  /** Probability that a READ, WRITE, PREAD, PWRITE or FSYNC fails with EIO and does nothing. */
  readonly ioErrors: number;
  /** What all files of a host hold, in bytes, by pages of 4096; beyond it ENOSPC. Or Infinity. */
  readonly diskBytesMax: number;
  /** Probability, of each unsynced page and of each new name, that a crash loses it. */
  readonly lostWrites: number;
  /** Probability, of each unsynced page that a crash does not lose, that only its first part is kept. */
  readonly tornWrites: number;
}

/** How child processes begin. Probabilities are from 0 to 1. */
export interface ProcessOptions {
  /** What a SPAWN takes, in milliseconds, 0 to 3600000. */
  readonly startMs: number;
  /** Added to it: from 0 to this, evenly, in milliseconds, 0 to 3600000. */
  readonly jitterMs: number;
  /** Probability that a SPAWN fails with EAGAIN and starts nothing. */
  readonly spawnFailures: number;
}

export type Preset = "ideal" | "lan" | "mobile" | "chaos";

export interface SimOptions {
  readonly network: NetworkOptions;
  readonly files: FileOptions;
  readonly processes: ProcessOptions;
}

const HOUR_MS = 3_600_000;

/**
 * A microsecond each way, no faults. Not less: a program that runs until a time would otherwise run
 * for ever, because only waiting takes time.
 */
const IDEAL: SimOptions = {
  network: {
    latencyMs: 0.001,
    jitterMs: 0,
    bandwidthBytesPerSecond: Number.POSITIVE_INFINITY,
    receiveBufferBytes: 256 * 1024,
    sendBufferBytes: 256 * 1024,
    shortReads: 0,
    shortWrites: 0,
    resets: 0,
    connectionResets: 0,
    segmentLoss: 0,
    connectRefused: 0,
    connectTimeoutMs: 127_000,
    retransmitTimeoutMs: 924_000,
    datagramLoss: 0,
    datagramDuplicates: 0,
    datagramReorder: 0,
  },
  files: {
    latencyMs: 0.001,
    jitterMs: 0,
    syncMs: 0,
    shortReads: 0,
    shortWrites: 0,
    ioErrors: 0,
    diskBytesMax: Number.POSITIVE_INFINITY,
    lostWrites: 0.5,
    tornWrites: 0.25,
  },
  processes: { startMs: 0.001, jitterMs: 0, spawnFailures: 0 },
};

export const PRESETS: Readonly<Record<Preset, SimOptions>> = {
  ideal: IDEAL,
  lan: {
    network: {
      ...IDEAL.network,
      latencyMs: 0.1,
      jitterMs: 0.1,
      bandwidthBytesPerSecond: 125_000_000,
      datagramReorder: 0.0001,
    },
    files: { ...IDEAL.files, latencyMs: 0.02, jitterMs: 0.08, syncMs: 0.5 },
    processes: { ...IDEAL.processes, startMs: 0.5, jitterMs: 0.5 },
  },
  mobile: {
    network: {
      ...IDEAL.network,
      latencyMs: 80,
      jitterMs: 40,
      bandwidthBytesPerSecond: 1_000_000,
      shortReads: 0.05,
      connectionResets: 0.005,
      segmentLoss: 0.01,
      connectTimeoutMs: 30_000,
      retransmitTimeoutMs: 60_000,
      datagramLoss: 0.02,
      datagramDuplicates: 0.005,
      datagramReorder: 0.02,
    },
    files: { ...IDEAL.files, latencyMs: 0.2, jitterMs: 2, syncMs: 5 },
    processes: { ...IDEAL.processes, startMs: 2, jitterMs: 5 },
  },
  chaos: {
    network: {
      ...IDEAL.network,
      latencyMs: 5,
      jitterMs: 50,
      bandwidthBytesPerSecond: 2_000_000,
      receiveBufferBytes: 8 * 1024,
      sendBufferBytes: 8 * 1024,
      shortReads: 0.3,
      shortWrites: 0.3,
      resets: 0.002,
      connectionResets: 0.1,
      segmentLoss: 0.05,
      connectRefused: 0.05,
      connectTimeoutMs: 5_000,
      retransmitTimeoutMs: 10_000,
      datagramLoss: 0.15,
      datagramDuplicates: 0.05,
      datagramReorder: 0.15,
    },
    files: {
      ...IDEAL.files,
      latencyMs: 0.1,
      jitterMs: 10,
      syncMs: 20,
      shortReads: 0.2,
      shortWrites: 0.2,
      ioErrors: 0.01,
      tornWrites: 0.5,
    },
    processes: { startMs: 1, jitterMs: 50, spawnFailures: 0.05 },
  },
};

/** What can be changed of the options of a world. */
export interface SimChanges {
  readonly network?: Partial<NetworkOptions>;
  readonly files?: Partial<FileOptions>;
  readonly processes?: Partial<ProcessOptions>;
}

/** @throws {RangeError} an option is out of its range. */
export function applyChanges(options: SimOptions, changes: SimChanges): SimOptions {
  const { network, files, processes } = changes;
  const changed = {
    network: { ...options.network, ...network },
    files: { ...options.files, ...files },
    processes: { ...options.processes, ...processes },
  };
  check("network", changed.network);
  check("files", changed.files);
  check("processes", changed.processes);
  return changed;
}

function check(group: string, options: NetworkOptions | FileOptions | ProcessOptions): void {
  for (const [name, value] of Object.entries(options) as [string, number][]) {
    const [min, max] = rangeOf(name);
    if (typeof value === "number" && value >= min && value <= max) continue;
    throw new RangeError(`${group}.${name} must be ${min} to ${max}, not ${value}`);
  }
}

function rangeOf(name: string): [number, number] {
  if (name.endsWith("TimeoutMs")) return [1, HOUR_MS];
  if (name.endsWith("Ms")) return [0, HOUR_MS];
  if (name.endsWith("BufferBytes")) return [1, 2 ** 30];
  if (name.endsWith("BytesPerSecond")) return [1, Number.POSITIVE_INFINITY];
  if (name.endsWith("BytesMax")) return [0, Number.POSITIVE_INFINITY];
  return [0, 1];
}
