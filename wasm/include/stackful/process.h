/* process.h - signals, the program's own streams, terminals, child processes. */
#ifndef STACKFUL_PROCESS_H
#define STACKFUL_PROCESS_H

#include "io.h"

/* ── Signals ───────────────────────────────────────────────────────────────────────────────────── */

/* A watcher of one of the signals that the host passes on: SIGINT in the command line, for instance.
 * While a signal is watched the host leaves it to the guest. The fields may be read. */
struct sf_signal {
  uint32_t kind; /* enum sf_signal_kind */
  uint32_t seen;
};

/* Starts to watch; `kind`: enum sf_signal_kind. The watcher stays the caller's, and where it is until
 * sf_signal_unwatch. Does not park. Errors: EINVAL for a signal that there is not. */
SF_IMPORT(sf_signal_watch) int32_t sf_signal_watch(struct sf_signal *signal, uint32_t kind);

/* Ends to watch; who waits for it gets -SF_EINVAL. */
SF_IMPORT(sf_signal_unwatch) void sf_signal_unwatch(struct sf_signal *signal);

/* Parks until the signal was raised since the last wait. Several are one; returns how many, at least 1.
 * Tasks that wait for it at the same time are all woken. A cancel takes none with it. Errors: EINVAL when it
 * is not watched. */
SF_PARKS SF_IMPORT(sf_signal_wait) int32_t sf_signal_wait(struct sf_signal *signal);
SF_TIMED(sf_signal_wait, (struct sf_signal * signal, sf_timeout_t timeout), (signal))

/* ── Standard streams and terminals ────────────────────────────────────────────────────────────── */

/* Opens stream 0, 1 or 2 of the host's process as a handle: a file, a pipe, a socket, a device or a
 * terminal, whatever it is. Other programs use it too and notice nothing: closing the handle leaves the
 * host's own open. It is there to be read (0) or written (1, 2), with sf_read, sf_write and their like, to
 * be waited for (sf_poll), and for what a terminal can do; EBADF the other way round, ENOTSUP for all else.
 * Where a READ was canceled no byte is lost. What was printed with stdio.h and not flushed comes later.
 * Errors: ENOTCAPABLE when the embedder did not grant it; EINVAL beyond 2; EBADF when the host has none;
 * EMFILE.
 *
 * The backends in JavaScript read ahead: what they have read of a pipe is lost to other programs. */
SF_PARKS static inline sf_handle_t sf_stdio(uint32_t number) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_STDIO, .handle = -1, .argument = number});
}

/* How large the terminal is: 0 when it does not know. Of a stream, or a terminal that was opened by its path.
 * SF_SIGNAL_WINDOW tells of a change. Errors: ENOTTY of what is no terminal. */
SF_PARKS static inline int32_t sf_terminal_size(sf_handle_t handle,
                                                struct sf_terminal_size *size_out) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_TERMINAL_SIZE, .handle = handle, .pointer = sf_address_of(size_out)});
}

/* `mode`: enum sf_terminal_mode. RAW: each key as it is pressed, none of them a signal, and not shown; what
 * is written looks as before. A terminal is raw as long as some handle has it so. Then the mode comes back
 * that it had: when the handle is closed or set to COOKED, when the runtime is disposed, and when the
 * process exits, but not when a signal ends it that nobody handles. Errors: ENOTTY of what is no terminal;
 * EINVAL for another mode. */
SF_PARKS static inline int32_t sf_terminal_mode(sf_handle_t handle, uint32_t mode) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_TERMINAL_MODE, .handle = handle, .argument = mode});
}

/* ── Child processes ───────────────────────────────────────────────────────────────────────────── */

/* Starts a program, and returns its handle: for sf_process_wait, sf_process_kill and sf_close. A child is
 * outside of all that the embedder granted, so it needs a grant of its own, by program; the variables of its
 * environment need one by name.
 *
 * `path` is absolute, or the last part of the path of a program that is granted; where all are, a name in
 * the host's PATH. The child has nothing of the host's environment, no descriptor but its three streams, no
 * signal blocked or ignored. SF_PROCESS_PIPE is answered with the handle of the other end, the caller's to
 * close: the child's input ends with it. SF_PROCESS_HANDLE gives a duplicate, for which the child waits
 * although the guest's does not; the handle stays the caller's, and what it names ends for others when both
 * are closed.
 *
 * A child whose handle is closed goes on, and is reaped by the host. None outlives the runtime: disposing it
 * kills them, not what they have started themselves.
 *
 * On Windows a path may begin with a drive, a name may be without its ".exe", and the child has the variable
 * SystemRoot too. A file that it is given is opened once more, at the guest's position, which stays; of sockets it is
 * given none (ENOTSUP); and what another program takes apart, .bat and .cmd, is none (ENOEXEC).
 *
 * A cancel ends it while nothing has happened; else the child's handle is the result. Errors, with which
 * nothing was started: ENOTCAPABLE for a program, variable, directory or stream that is not granted; ENOENT,
 * ENOTDIR, EACCES, ENOEXEC of the program or the directory; EINVAL for a relative path, no arguments, a list
 * without a zero at its end, a variable without a name; E2BIG over 2 MiB; EBADF, ENOTSUP for a handle that a
 * child cannot have; EBUSY, not on Linux, for a pipe that others of the guest's tasks wait for; EMFILE;
 * EAGAIN when as many children live as there may be handles; ENOSYS. */
SF_PARKS static inline sf_handle_t sf_spawn_process(struct sf_process_request *request) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_SPAWN, .handle = -1, .pointer = sf_address_of(request)});
}

/* Waits until the process has ended, and tells how. May be asked again, and by several tasks. A cancel, or a
 * deadline, ends the wait and not the process. Errors: ECHILD when the host's own program has taken the
 * status of a child that is not its; EINVAL for another handle. */
SF_PARKS static inline int32_t sf_process_wait(sf_handle_t process,
                                               struct sf_exit_status *status_out) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_WAIT, .handle = process, .pointer = sf_address_of(status_out)});
}
SF_TIMED(sf_process_wait, (sf_handle_t process, struct sf_exit_status *status_out, sf_timeout_t timeout), (process, status_out))

/* Sends a signal: enum sf_signal_kind, or SF_SIGNAL_KILL, which no program can catch. It reaches the child
 * alone, not what that has started. Windows has none: the child ends at once, and is told to have ended by the
 * signal, or ENOTSUP for those that no process ends by, or that it must handle (USER1, USER2, WINDOW).
 * Errors: ESRCH when the process has ended; EINVAL for no signal, and
 * for another handle; ENOTCAPABLE in Deno without --allow-run, but for SF_SIGNAL_KILL. */
SF_PARKS static inline int32_t sf_process_kill(sf_handle_t process, uint32_t signal) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_KILL, .handle = process, .argument = signal});
}

#endif
