//! Which of the core's functions may park their caller. `npm run check` compares this with the core
//! itself (test/link/core.test.ts).

/** They call start_unwind, so nothing may inline them before Asyncify has run. */
export const PARKING_FUNCTIONS: readonly string[] = [
  "sf_join",
  "sf_yield",
  "sf_sleep",
  "sf_sleep_until",
  "sf_park",
  "sf_channel_send",
  "sf_channel_receive",
  "sf_tcp_listen",
  "sf_tcp_accept",
  "sf_tcp_connect",
  "sf_read",
  "sf_write",
  "sf_readv",
  "sf_writev",
  "sf_shutdown",
  "sf_close",
  "sf_open",
  "sf_pread",
  "sf_pwrite",
  "sf_fsync",
  "sf_local_address",
  "sf_peer_address",
];

/** The import module of the core's functions. */
export const CORE_MODULE = "stackful";
