//! What a peer is told, and what it tells.

/**
 * What becomes of a connection in mid-transfer. "killed": its process is, from outside; "stalled": the same, and
 * it does not read any more before; "reset" and "abandoned": it is closed with and without a reset; "finished":
 * this end sends no more; "none": nothing, it has a length.
 */
export type Fault = "killed" | "stalled" | "reset" | "abandoned" | "finished" | "none";

export interface PeerPlan {
  /** Connections that it makes, to a port, with the numbers of their streams. Absent: none. */
  readonly calls?: {
    readonly port: number;
    readonly first: number;
    readonly connections: readonly PlannedConnection[];
    /**
     * What all of them wait for: to be connected before anything is sent, or that each has got its first byte
     * back or has been refused before any gets a second. Absent: nothing.
     */
    readonly together?: "connected" | "answered";
  };
  /** Those that it accepts. Absent: it does not listen. */
  readonly accepts?: readonly PlannedConnection[];
}

export interface PlannedConnection {
  readonly fault: Fault;
  /** How many bytes have come when it happens; with "none", how many there are. */
  readonly at: number;
}

export type PeerEvent =
  | { readonly what: "listening"; readonly port: number }
  /** Every connection is where its fault is due, or over. */
  | { readonly what: "middle" }
  /** All connections are over. `problems`: bytes that were not due, ends too early. */
  | { readonly what: "over"; readonly bytes: number; readonly problems: readonly string[] };
