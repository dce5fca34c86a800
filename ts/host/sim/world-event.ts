//! What a world tells of itself: plain objects that survive postMessage and JSON.

/** Of every event: the virtual time, in nanoseconds. */
interface At {
  readonly timeNs: number;
}

/** Something on its way from one host to another. */
interface Packet extends At {
  readonly from: string;
  readonly to: string;
  /** When it left, after what was queued before it on the link. */
  readonly sentNs: number;
  /** When it arrives, if nothing happens to it. */
  readonly arrivesNs: number;
}

/** A segment of a connection on its way. `connection` is the `id` of its ConnectionView. */
export interface SegmentEvent extends Packet {
  /** `ack`: the last step of connecting. `reset`: the sender has no such connection any more. */
  readonly type: "syn" | "syn-ack" | "ack" | "data" | "fin" | "reset";
  readonly connection: number;
  /** Of payload. */
  readonly bytes: number;
}

export interface DatagramEvent extends Packet {
  readonly type: "datagram";
  readonly fromPort: number;
  readonly toPort: number;
  readonly bytes: number;
}

/** A packet that does not arrive. */
export interface DropEvent extends At {
  readonly type: "drop";
  readonly from: string;
  readonly to: string;
  readonly what: SegmentEvent["type"] | "datagram";
  /** `full`: nobody had room for it. `down`: its host is. `nobody`: no socket takes it. */
  readonly why: "loss" | "partition" | "down" | "full" | "nobody";
  readonly connection?: number;
}

/** What became of a connection at one end. */
export interface ConnectionEvent extends At {
  readonly type: "connect" | "established" | "accept" | "refused" | "timeout" | "closed";
  readonly connection: number;
  readonly client: string;
  readonly server: string;
}

/** A fault of the options that struck. */
export interface FaultEvent extends At {
  readonly type: "fault";
  readonly host: string;
  readonly fault:
    | "reset"
    | "refused"
    | "segment lost"
    | "datagram lost"
    | "datagram duplicated"
    | "datagram reordered"
    | "short read"
    | "short write"
    | "EIO"
    | "EAGAIN"
    | "ENOSPC";
}

/** Operations on paths. */
export type PathEventName =
  | "stat"
  | "access"
  | "chmod"
  | "chown"
  | "utimes"
  | "truncate"
  | "link"
  | "symlink"
  | "readlink"
  | "unlink"
  | "rmdir"
  | "rename"
  | "mkdir";

/** A file operation, when it is done. */
export interface FileEvent extends At {
  readonly type: "file";
  readonly host: string;
  readonly what: "open" | "read" | "write" | "sync" | PathEventName;
  readonly path: string;
  /** Bytes, 0, or a negated errno. */
  readonly result: number;
}

export interface HostEvent extends At {
  readonly type: "crash" | "restart" | "kill" | "start" | "end";
  readonly host: string;
}

/** A process of a program in JavaScript begins, gets a signal, or ends: with `code`, or -1 by `signal`. */
export interface ProcessEvent extends At {
  readonly type: "exec" | "signal" | "exit";
  readonly host: string;
  readonly pid: number;
  readonly path: string;
  readonly code?: number;
  /** Its name; of an end its number, and 0 when there was none. */
  readonly signal?: string | number;
}

/** What a crash did to a disk. */
export interface CrashedDiskEvent extends At {
  readonly type: "disk";
  readonly host: string;
  readonly pagesLost: number;
  readonly pagesTorn: number;
  readonly pagesKept: number;
  readonly namesLost: number;
}

/** `a` and `b` absent: every pair of hosts. */
export interface PartitionEvent extends At {
  readonly type: "partition" | "heal";
  readonly a?: string;
  readonly b?: string;
}

export interface ConfigureEvent extends At {
  readonly type: "configure";
}

export type WorldEvent =
  | SegmentEvent
  | DatagramEvent
  | DropEvent
  | ConnectionEvent
  | FaultEvent
  | FileEvent
  | HostEvent
  | ProcessEvent
  | CrashedDiskEvent
  | PartitionEvent
  | ConfigureEvent;

/** `WorldEvent` without its time, which the observer knows. */
type WithoutTime<Event> = Event extends unknown ? Omit<Event, "timeNs"> : never;
export type Untimed = WithoutTime<WorldEvent>;
