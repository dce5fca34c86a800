//! Which of the core's functions may park their caller. `npm run check` compares this with the core
//! itself (test/link/core.test.ts).

/** They call start_unwind, so nothing may inline them before Asyncify has run. */
export const PARKING_FUNCTIONS: readonly string[] = [
  "sf_spawn_room",
  "sf_join",
  "sf_task_wait",
  "sf_yield",
  "sf_maybe_yield",
  "sf_sleep_until",
  "sf_sleep",
  "sf_park",
  "sf_channel_send",
  "sf_channel_receive",
  "sf_channel_send_many",
  "sf_channel_receive_many",
  "sf_broadcast_receive",
  "sf_watch_wait",
  "sf_mutex_lock",
  "sf_condition_wait",
  "sf_rwlock_read",
  "sf_rwlock_write",
  "sf_semaphore_acquire",
  "sf_event_wait",
  "sf_notify_wait",
  "sf_latch_wait",
  "sf_barrier_wait",
  "sf_future_wait",
  "sf_once_begin",
  "sf_futex_wait",
  "sf_group_room",
  "sf_group_wait",
  "sf_group_cancel",
  "sf_perform",
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
  "sf_udp_bind",
  "sf_send_to",
  "sf_receive_from",
  "sf_operation_wait",
  "sf_signal_wait",
  "sf_select",
  "sf_select_fair",
];

/** The import module of the core's functions. */
export const CORE_MODULE = "stackful";

/** The core's function that calls the poll of a guest's own source (select.c). It cannot suspend. */
export const SOURCE_POLL = "sf_source_poll";

/** A function's name without the number that merging gives to the core's own that a guest imports. */
export function coreFunctionName(name: string): string {
  return name.replace(/^(sf_[a-z_]+)_\d+$/, "$1");
}
