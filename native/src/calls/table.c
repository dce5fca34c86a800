/* table.c - what the engine knows of each operation. */
#include "calls/calls.h"
#include "engine/platform.h"

/* What each kind of handle says to an operation that it does not have. */
#define ONLY_LISTENERS \
  { [SF_HANDLE_STREAM] = SF_EINVAL, [SF_HANDLE_FILE] = SF_EINVAL, [SF_HANDLE_UDP] = SF_ENOTSUP, \
    [SF_HANDLE_DIRECTORY] = SF_EINVAL }
#define ONLY_FILES(refused, directory) \
  { [SF_HANDLE_LISTENER] = refused, [SF_HANDLE_STREAM] = refused, [SF_HANDLE_UDP] = refused, \
    [SF_HANDLE_DIRECTORY] = directory }
#define ONLY_UDP \
  { [SF_HANDLE_LISTENER] = SF_ENOTSUP, [SF_HANDLE_STREAM] = SF_ENOTSUP, \
    [SF_HANDLE_FILE] = SF_ENOTSOCK, [SF_HANDLE_DIRECTORY] = SF_ENOTSOCK }
#define ONLY_SOCKETS { [SF_HANDLE_FILE] = SF_ENOTSOCK, [SF_HANDLE_DIRECTORY] = SF_ENOTSOCK }
#define ONLY_DIRECTORIES \
  { [SF_HANDLE_LISTENER] = SF_ENOTDIR, [SF_HANDLE_STREAM] = SF_ENOTDIR, \
    [SF_HANDLE_UDP] = SF_ENOTDIR, [SF_HANDLE_FILE] = SF_ENOTDIR }
#define ONLY_STREAMS(datagrams) \
  { [SF_HANDLE_LISTENER] = SF_ENOTCONN, [SF_HANDLE_UDP] = datagrams, \
    [SF_HANDLE_FILE] = SF_ENOTSOCK, [SF_HANDLE_DIRECTORY] = SF_ENOTSOCK }
/* Those of datagrams depend on whether they are connected. */
#define TRANSFERS { [SF_HANDLE_LISTENER] = SF_ENOTCONN, [SF_HANDLE_DIRECTORY] = SF_EISDIR }
#define ONLY_PROCESSES \
  { [SF_HANDLE_LISTENER] = SF_EINVAL, [SF_HANDLE_STREAM] = SF_EINVAL, [SF_HANDLE_UDP] = SF_EINVAL, \
    [SF_HANDLE_FILE] = SF_EINVAL, [SF_HANDLE_DIRECTORY] = SF_EINVAL }
#define NO_FILES { [SF_HANDLE_FILE] = SF_EPERM, [SF_HANDLE_DIRECTORY] = SF_EPERM }

#define ON_PATHS(its_call) \
  { .on_path = true, .check = sf__check_paths, .call = its_call, .finish = sf__finish_paths }

static const struct sf_operation table[] = {
  [SF_OP_LISTEN] = { .start = sf__listen },
  [SF_OP_ACCEPT] = {
    .on_handle = true, .refuses = ONLY_LISTENERS, .waits = SF_WAITS_READABLE,
    .check = sf__check_accept, .call = sf__call_accept, .finish = sf__finish_accept,
  },
  [SF_OP_CONNECT] = {
    .opens = SF_HANDLE_STREAM, .waits = SF_WAITS_WRITABLE,
    .check = sf__check_connect, .call = sf__call_connect, .finish = sf__finish_connect,
  },

  [SF_OP_READ] = {
    .on_handle = true, .on_stdio = true, .refuses = TRANSFERS, .borrows = SF_BORROWS_TO_FILL,
    .lane = SF_LANE_READ, .waits = SF_WAITS_READABLE,
    .check = sf__check_buffer, .call = sf__call_read, .attempt = sf__attempt_read,
  },
  [SF_OP_WRITE] = {
    .on_handle = true, .on_stdio = true, .refuses = TRANSFERS, .borrows = SF_BORROWS_TO_SEND,
    .lane = SF_LANE_WRITE, .waits = SF_WAITS_WRITABLE,
    .check = sf__check_buffer, .call = sf__call_write, .attempt = sf__attempt_write,
  },
  [SF_OP_READV] = {
    .on_handle = true, .on_stdio = true, .refuses = TRANSFERS, .borrows = SF_BORROWS_TO_FILL,
    .lane = SF_LANE_READ, .waits = SF_WAITS_READABLE,
    .check = sf__check_vector, .call = sf__call_read,
  },
  [SF_OP_WRITEV] = {
    .on_handle = true, .on_stdio = true, .refuses = TRANSFERS, .borrows = SF_BORROWS_TO_SEND,
    .lane = SF_LANE_WRITE, .waits = SF_WAITS_WRITABLE,
    .check = sf__check_vector, .call = sf__call_write,
  },
  [SF_OP_PREAD] = {
    .on_handle = true, .refuses = ONLY_FILES(SF_ESPIPE, SF_EISDIR), .borrows = SF_BORROWS_TO_FILL,
    .check = sf__check_positioned, .call = sf__call_read, .attempt = sf__attempt_read,
  },
  [SF_OP_PWRITE] = {
    .on_handle = true, .refuses = ONLY_FILES(SF_ESPIPE, SF_EISDIR), .borrows = SF_BORROWS_TO_SEND,
    .check = sf__check_positioned, .call = sf__call_write,
  },

  /* Says what it refuses itself: a wrong argument comes first. */
  [SF_OP_SHUTDOWN] = { .on_handle = true, .start = sf__shutdown },
  [SF_OP_CLOSE] = {
    .on_handle = true, .on_descriptors = true, .on_processes = true, .on_stdio = true,
    .start = sf__start_close, .call = sf__call_close, .finish = sf__finish_close,
  },
  [SF_OP_LOCAL_ADDRESS] = {
    .on_handle = true, .refuses = ONLY_SOCKETS, .start = sf__local_address,
  },
  [SF_OP_PEER_ADDRESS] = {
    .on_handle = true, .refuses = ONLY_SOCKETS, .start = sf__peer_address,
  },

  [SF_OP_OPEN] = {
    .on_path = true, .opens = SF_HANDLE_FILE,
    .check = sf__check_open, .call = sf__call_open, .finish = sf__finish_open,
#ifdef SF_LINUX
    .next = sf__next_open,
#endif
  },
  [SF_OP_FSYNC] = {
    .on_handle = true, .refuses = ONLY_FILES(SF_EINVAL, 0),
    .check = sf__check_fsync, .call = sf__call_fsync,
  },

  [SF_OP_STAT] = ON_PATHS(sf__call_object),
  [SF_OP_CHMOD] = ON_PATHS(sf__call_object),
  [SF_OP_CHOWN] = ON_PATHS(sf__call_object),
  [SF_OP_UTIMES] = ON_PATHS(sf__call_object),
  [SF_OP_TRUNCATE] = ON_PATHS(sf__call_truncate),
  [SF_OP_ACCESS] = ON_PATHS(sf__call_object),
  [SF_OP_LINK] = ON_PATHS(sf__call_link),
  /* Has no handle of its own: the text of a link lies nowhere. */
  [SF_OP_SYMLINK] = {
    .check = sf__check_paths, .call = sf__call_symlink, .finish = sf__finish_paths,
  },
  [SF_OP_READLINK] = ON_PATHS(sf__call_readlink),
  [SF_OP_UNLINK] = ON_PATHS(sf__call_unlink),
  [SF_OP_RMDIR] = ON_PATHS(sf__call_unlink),
  [SF_OP_RENAME] = ON_PATHS(sf__call_rename),
  [SF_OP_MKDIR] = ON_PATHS(sf__call_mkdir),

  [SF_OP_SET_OPTION] = { .on_handle = true, .refuses = ONLY_SOCKETS, .start = sf__set_option },
  [SF_OP_GET_OPTION] = { .on_handle = true, .refuses = ONLY_SOCKETS, .start = sf__get_option },

  [SF_OP_PREADV] = {
    .on_handle = true, .refuses = ONLY_FILES(SF_ESPIPE, SF_EISDIR), .borrows = SF_BORROWS_TO_FILL,
    .check = sf__check_positioned_vector, .call = sf__call_read,
  },
  [SF_OP_PWRITEV] = {
    .on_handle = true, .refuses = ONLY_FILES(SF_ESPIPE, SF_EISDIR), .borrows = SF_BORROWS_TO_SEND,
    .check = sf__check_positioned_vector, .call = sf__call_write,
  },
  [SF_OP_SEEK] = {
    .on_handle = true, .refuses = ONLY_FILES(SF_ESPIPE, SF_EISDIR), .lane = SF_LANE_READ,
    .waits = SF_WAITS_NEVER,
    .check = sf__check_seek, .call = sf__call_seek, .finish = sf__finish_seek,
  },
  [SF_OP_ALLOCATE] = {
    .on_handle = true, .refuses = ONLY_FILES(SF_ESPIPE, SF_EISDIR),
    .check = sf__check_allocate, .call = sf__call_allocate,
  },
  [SF_OP_READ_DIRECTORY] = {
    .on_handle = true, .refuses = ONLY_DIRECTORIES, .borrows = SF_BORROWS_TO_FILL,
    .lane = SF_LANE_READ,
    .check = sf__check_read_directory, .call = sf__call_read_directory,
  },
  [SF_OP_LOCK] = {
    .on_handle = true, .refuses = ONLY_FILES(SF_EINVAL, 0),
    .check = sf__check_lock, .call = sf__call_lock, .finish = sf__finish_lock,
  },
  [SF_OP_COPY] = {
    .on_handle = true, .refuses = ONLY_FILES(SF_EINVAL, SF_EISDIR),
    .check = sf__check_copy, .call = sf__call_copy,
  },
  [SF_OP_SEND_FILE] = {
    .on_handle = true, .refuses = ONLY_STREAMS(SF_EDESTADDRREQ), .lane = SF_LANE_WRITE,
    .waits = SF_WAITS_WRITABLE,
    .check = sf__check_send_file, .call = sf__call_send_file, .next = sf__next_send_file,
  },

  [SF_OP_UDP_BIND] = { .start = sf__udp_bind },
  [SF_OP_SEND_BATCH] = {
    .on_handle = true, .refuses = ONLY_UDP, .borrows = SF_BORROWS_TO_SEND,
    .waits = SF_WAITS_WRITABLE,
    .check = sf__check_send_batch, .call = sf__call_send_batch, .finish = sf__finish_send_batch,
  },
  [SF_OP_RECEIVE_BATCH] = {
    .on_handle = true, .refuses = ONLY_UDP, .borrows = SF_BORROWS_TO_FILL,
    .lane = SF_LANE_READ, .waits = SF_WAITS_READABLE,
    .check = sf__check_receive_batch, .call = sf__call_receive_batch,
    .finish = sf__finish_receive_batch,
  },
  [SF_OP_UDP_CONNECT] = { .on_handle = true, .refuses = ONLY_UDP, .start = sf__udp_connect },
  [SF_OP_MEMBERSHIP] = { .on_handle = true, .refuses = ONLY_UDP, .start = sf__membership },
  /* In no lane: datagrams have no order that waiting for each other would keep. */
  [SF_OP_SEND_TO] = {
    .on_handle = true, .refuses = ONLY_UDP, .borrows = SF_BORROWS_TO_SEND,
    .waits = SF_WAITS_WRITABLE,
    .check = sf__check_send_to, .call = sf__call_send_to, .attempt = sf__attempt_send_to,
  },
  [SF_OP_RECEIVE_FROM] = {
    .on_handle = true, .refuses = ONLY_UDP, .borrows = SF_BORROWS_TO_FILL,
    .lane = SF_LANE_READ, .waits = SF_WAITS_READABLE,
    .check = sf__check_receive_from, .call = sf__call_receive_from,
    .finish = sf__finish_receive_from,
  },

#ifdef SF_LINUX
  [SF_OP_UNIX_LISTEN] = {
    .on_path = true, .opens = SF_HANDLE_LISTENER,
    .check = sf__check_unix_listen, .call = sf__call_unix_listen,
    .finish = sf__finish_unix_named,
  },
  [SF_OP_UNIX_CONNECT] = {
    .on_path = true,
    .check = sf__check_unix_connect, .call = sf__call_unix_connect,
    .finish = sf__finish_unix_connect,
  },
  [SF_OP_UNIX_BIND] = {
    .on_path = true, .opens = SF_HANDLE_UDP,
    .check = sf__check_unix_bind, .call = sf__call_unix_bind, .finish = sf__finish_unix_named,
  },
  [SF_OP_UNIX_SEND_TO] = {
    .on_handle = true, .refuses = ONLY_UDP, .borrows = SF_BORROWS_TO_SEND,
    .check = sf__check_unix_send_to, .call = sf__call_unix_send_to,
  },
#endif
  [SF_OP_SOCKET_PAIR] = { .start = sf__socket_pair },
  [SF_OP_PIPE] = { .start = sf__pipe },
#ifndef SF_WINDOWS
  [SF_OP_SEND_HANDLE] = {
    .on_handle = true, .refuses = ONLY_STREAMS(SF_ENOTSUP), .borrows = SF_BORROWS_TO_SEND,
    .lane = SF_LANE_WRITE, .waits = SF_WAITS_WRITABLE,
    .check = sf__check_send_handle, .call = sf__call_send_handle,
  },
  [SF_OP_RECEIVE_HANDLE] = {
    .on_handle = true, .refuses = ONLY_STREAMS(SF_ENOTSUP), .borrows = SF_BORROWS_TO_FILL,
    .lane = SF_LANE_READ, .waits = SF_WAITS_READABLE,
    .check = sf__check_receive_handle, .call = sf__call_receive_handle,
    .finish = sf__finish_receive_handle,
  },
  [SF_OP_POLL] = {
    .on_handle = true, .on_stdio = true, .on_descriptors = true, .refuses = NO_FILES,
    .waits = SF_WAITS_AS_ASKED,
    .check = sf__check_poll, .call = sf__call_poll, .finish = sf__finish_poll,
  },
#endif

  [SF_OP_STDIO] = { .start = sf__stdio },
  [SF_OP_TERMINAL_SIZE] = { .on_handle = true, .on_stdio = true, .start = sf__terminal_size },
  [SF_OP_TERMINAL_MODE] = { .on_handle = true, .on_stdio = true, .start = sf__terminal_mode },
  [SF_OP_SPAWN] = {
    .opens = SF_HANDLE_PROCESS,
    .check = sf__check_spawn, .drop = sf__drop_spawn, .call = sf__call_spawn,
    .finish = sf__finish_spawn,
  },
  [SF_OP_WAIT] = {
    .on_handle = true, .on_processes = true, .refuses = ONLY_PROCESSES,
    .waits = SF_WAITS_READABLE,
    .check = sf__check_wait, .call = sf__call_wait, .finish = sf__finish_wait,
  },
  [SF_OP_KILL] = {
    .on_handle = true, .on_processes = true, .refuses = ONLY_PROCESSES, .start = sf__kill,
  },

#ifndef SF_WINDOWS
  /* A descriptor belongs to one completion port for good there. */
  [SF_OP_RELEASE] = { .on_handle = true, .start = sf__release },
  [SF_OP_ADOPT] = { .start = sf__adopt },
#endif

  [SF_OP_RESOLVER] = { .start = sf__resolver },
  [SF_OP_LOOKUP] = {
    .leaves = true,
    .check = sf__check_lookup, .call = sf__call_lookup, .finish = sf__finish_lookup,
  },
};

const struct sf_operation *sf__operation(uint16_t opcode) {
  if (opcode >= sizeof(table) / sizeof(table[0])) return NULL;
  const struct sf_operation *operation = &table[opcode];
  return operation->check == NULL && operation->start == NULL ? NULL : operation;
}
