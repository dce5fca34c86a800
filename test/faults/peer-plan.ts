//! What a peer is told, and what it tells.

/**
 * What becomes of a connection in mid-transfer. "killed": its process is, from outside; "reset" and
 * "abandoned": it is closed with and without a reset; "finished": this end sends no more; "none": nothing, it
 * has a length.
 */
export type Fault = "killed" | "reset" | "abandoned" | "finished" | "none";

export interface PeerPlan {
  /** Of a server to connect to; absent: the peer listens. */
  readonly port?: number;
  /** The first stream's number, where it connects. */
  readonly first: number;
  readonly connections: readonly PlannedConnection[];
  /** Nothing is sent before all of them are connected. */
  readonly together?: boolean;
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
