/* operations.h - what a guest can ask the host for, and the records it does so with. Part of abi.h.
 *
 * Paths are the guest's: with `handle` -1 the embedder's grants say which directory they lie in; with the
 * handle of an open directory they lie in that. No path leads out of its directory, neither through ".."
 * nor through links. Where an operation takes a path, an empty one means `handle` itself.
 */
#ifndef STACKFUL_OPERATIONS_H
#define STACKFUL_OPERATIONS_H

#include <stdint.h>

/* A guest address: a real pointer inside wasm, an opaque 32-bit offset everywhere else. */
#ifdef __wasm32__
#define SF_ADDRESS(type) type *
#else
#define SF_ADDRESS(type) uint32_t
#endif

/* The comment gives the fields of sf_submission that are read, and the result. PATH: handle, pointer,
 * length; OTHER PATH: other_handle, other_pointer, other_length. */
/*      name           code */
#define SF_OP_MAP(X) \
  X(CANCEL,         1) /* token: end that token's operation early; has no completion of its own */ \
  X(LISTEN,         2) /* pointer: sf_address; argument: backlog; mode: enum sf_bind -> handle */ \
  X(ACCEPT,         3) /* handle; pointer: sf_address out, or 0       -> handle */ \
  X(CONNECT,        4) /* pointer: sf_address                         -> handle */ \
  X(READ,           5) /* handle, pointer, length                     -> bytes, 0 at the end */ \
  X(WRITE,          6) /* handle, pointer, length                     -> bytes */ \
  X(READV,          7) /* handle, pointer: sf_iovec[length]           -> bytes, 0 at the end */ \
  X(WRITEV,         8) /* handle, pointer: sf_iovec[length]           -> bytes */ \
  X(SHUTDOWN,       9) /* handle; argument: enum sf_shutdown          -> 0 */ \
  X(CLOSE,         10) /* handle                                      -> 0 */ \
  X(OPEN,          11) /* PATH; argument: enum sf_open; mode          -> handle */ \
  X(PREAD,         12) /* handle, pointer, length, offset             -> bytes, 0 at the end */ \
  X(PWRITE,        13) /* handle, pointer, length, offset             -> bytes */ \
  X(FSYNC,         14) /* handle; argument: enum sf_sync              -> 0 */ \
  X(LOCAL_ADDRESS, 15) /* handle; pointer: sf_address out             -> 0 */ \
  X(PEER_ADDRESS,  16) /* handle; pointer: sf_address out             -> 0 */ \
  X(UDP_BIND,      17) /* pointer: sf_address; mode: enum sf_bind     -> handle */ \
  X(SEND_TO,       18) /* handle, pointer, length; argument: address of an sf_address -> bytes */ \
  X(RECEIVE_FROM,  19) /* handle, pointer, length; argument: address of an sf_address out, or 0
                          -> bytes, 0 for an empty datagram */ \
  /* Files. */ \
  X(PREADV,        20) /* handle, pointer: sf_iovec[length], offset   -> bytes, 0 at the end */ \
  X(PWRITEV,       21) /* handle, pointer: sf_iovec[length], offset   -> bytes */ \
  X(SEEK,          22) /* handle, offset; argument: enum sf_seek; other_pointer: int64_t out -> 0 */ \
  X(STAT,          23) /* PATH; flags; other_pointer: sf_stat out     -> 0 */ \
  X(CHMOD,         24) /* PATH; flags; mode                           -> 0 */ \
  X(CHOWN,         25) /* PATH; flags; argument: user; mode: group; SF_ID_KEEP -> 0 */ \
  X(UTIMES,        26) /* PATH; flags; other_pointer: sf_times        -> 0 */ \
  X(TRUNCATE,      27) /* PATH; offset: new size                      -> 0 */ \
  X(ALLOCATE,      28) /* handle, offset; other_offset: bytes         -> 0 */ \
  X(ACCESS,        29) /* PATH; flags; argument: enum sf_access       -> 0 */ \
  X(LINK,          30) /* PATH; OTHER PATH: the new name              -> 0 */ \
  X(SYMLINK,       31) /* pointer, length: target; OTHER PATH: the new link -> 0 */ \
  X(READLINK,      32) /* PATH; other_pointer, other_length: out      -> bytes */ \
  X(UNLINK,        33) /* PATH of anything but a directory            -> 0 */ \
  X(RMDIR,         34) /* PATH                                        -> 0 */ \
  X(RENAME,        35) /* PATH; OTHER PATH; argument: enum sf_rename  -> 0 */ \
  X(MKDIR,         36) /* PATH; mode                                  -> 0 */ \
  X(READ_DIRECTORY, 37) /* handle; pointer, length: sf_directory_entry out; argument: 1 from the start
                           -> bytes, 0 at the end */ \
  X(LOCK,          38) /* handle; argument: enum sf_lock              -> 0 */ \
  X(COPY,          39) /* handle, offset: from; other_handle, other_offset: to; length -> bytes */ \
  X(SEND_FILE,     40) /* handle: stream; other_handle, other_offset: file; length -> bytes */ \
  /* Sockets and pipes. */ \
  X(SET_OPTION,    41) /* handle; argument: enum sf_option; offset: value -> 0 */ \
  X(GET_OPTION,    42) /* handle; argument: enum sf_option; other_pointer: int64_t out -> 0 */ \
  X(MEMBERSHIP,    43) /* handle; pointer: sf_address of the group, scope: interface; argument: 1 join,
                          0 leave                                     -> 0 */ \
  X(UDP_CONNECT,   44) /* handle; pointer: sf_address, or 0: of nobody -> 0; then READ and WRITE work */ \
  X(SEND_BATCH,    45) /* handle; pointer: sf_datagram[length]        -> how many */ \
  X(RECEIVE_BATCH, 46) /* handle; pointer: sf_datagram[length]        -> how many */ \
  X(UNIX_LISTEN,   47) /* PATH; argument: backlog                     -> handle */ \
  X(UNIX_CONNECT,  48) /* PATH; argument: enum sf_socket_type         -> handle */ \
  X(UNIX_BIND,     49) /* PATH, or none: without a name               -> handle, of datagrams */ \
  X(UNIX_SEND_TO,  50) /* handle, pointer, length; OTHER PATH         -> bytes */ \
  X(SOCKET_PAIR,   51) /* pointer: int32_t[2] out; argument: enum sf_socket_type -> 0 */ \
  X(PIPE,          52) /* pointer: int32_t[2] out: to read, to write  -> 0 */ \
  X(SEND_HANDLE,   53) /* handle: Unix stream; pointer, length: sent along; other_handle -> bytes */ \
  X(RECEIVE_HANDLE, 54) /* handle: Unix stream; pointer, length; other_pointer: int32_t out, -1: none
                           -> bytes */ \
  /* Descriptors, terminals, processes. */ \
  X(POLL,          55) /* handle; argument: enum sf_poll              -> those that hold */ \
  X(STDIO,         56) /* argument: 0, 1 or 2                         -> handle */ \
  X(TERMINAL_SIZE, 57) /* handle; pointer: sf_terminal_size out       -> 0 */ \
  X(TERMINAL_MODE, 58) /* handle; argument: enum sf_terminal_mode     -> 0 */ \
  X(SPAWN,         59) /* pointer: sf_process_request, whose pipes are written back -> handle */ \
  X(WAIT,          60) /* handle; pointer: sf_exit_status out         -> 0 */ \
  X(KILL,          61) /* handle; argument: enum sf_signal_kind or SF_SIGNAL_KILL -> 0 */ \
  /* Names. */ \
  X(RESOLVER,      62) /* argument: enum sf_resolver; pointer, length: text out; offset -> bytes */ \
  X(LOOKUP,        63) /* pointer, length: name; argument: enum sf_family or 0;
                          other_pointer: sf_address[other_length] out -> how many */ \
  /* From one executor to another. */ \
  X(RELEASE,       64) /* handle; pointer: sf_handle_token out        -> 0 */ \
  X(ADOPT,         65) /* pointer: sf_handle_token                    -> handle */

enum sf_opcode {
#define X(name, code) SF_OP_##name = (code),
  SF_OP_MAP(X)
#undef X
};

enum sf_shutdown { SF_SHUTDOWN_READ = 0, SF_SHUTDOWN_WRITE = 1, SF_SHUTDOWN_BOTH = 2 };

enum sf_open {
  SF_OPEN_READ = 1,
  SF_OPEN_WRITE = 2,
  SF_OPEN_CREATE = 4,
  SF_OPEN_EXCLUSIVE = 8,
  SF_OPEN_TRUNCATE = 16,
  SF_OPEN_APPEND = 32,
  SF_OPEN_DIRECTORY = 64,   /* it must be one, else ENOTDIR; with READ, and NO_FOLLOW or not */
  SF_OPEN_NO_FOLLOW = 128,  /* ELOOP when the path ends in a symbolic link; ENOTDIR with DIRECTORY */
  SF_OPEN_SYNC = 256,       /* every write is as durable as after FSYNC */
  SF_OPEN_TEMPORARY = 512,  /* a file without a name, in the directory that the path names; with WRITE */
};

/* In `flags`, of operations on paths. */
enum sf_path_flags { SF_PATH_NO_FOLLOW = 1 }; /* a link at the path's end is meant itself */

enum sf_sync { SF_SYNC_ALL = 0, SF_SYNC_DATA = 1 }; /* DATA: without times and what else no reader needs */

enum sf_seek { SF_SEEK_START = 0, SF_SEEK_CURRENT = 1, SF_SEEK_END = 2 };

enum sf_access { SF_ACCESS_EXISTS = 0, SF_ACCESS_EXECUTE = 1, SF_ACCESS_WRITE = 2, SF_ACCESS_READ = 4 };

enum sf_rename {
  SF_RENAME_REPLACE = 0,
  SF_RENAME_NO_REPLACE = 1, /* EEXIST when there is something */
  SF_RENAME_EXCHANGE = 2,
};

/* Of a whole file, and of the open file that LOCK was called on: other opens of it wait, or get EAGAIN
 * with TRY. Advisory, as flock(2). */
enum sf_lock { SF_LOCK_NONE = 0, SF_LOCK_SHARED = 1, SF_LOCK_EXCLUSIVE = 2, SF_LOCK_TRY = 4 };

/* Of LISTEN and UDP_BIND. */
enum sf_bind {
  SF_BIND_REUSE_PORT = 1, /* others may bind it too; each connection or datagram goes to one of them */
  SF_BIND_REUSE_ADDRESS = 2, /* UDP: share a port, for multicast. TCP listeners always have it */
};

enum sf_socket_type { SF_SOCKET_STREAM = 0, SF_SOCKET_DATAGRAM = 1 };

/* Values are 0 or 1 unless another unit or range is given. TCP: listeners and connections. */
enum sf_option {
  SF_OPTION_NO_DELAY = 1,         /* TCP; 1 from the start */
  SF_OPTION_KEEP_ALIVE = 2,       /* TCP: seconds of silence before the first probe, to 32,767; 0: none are
                                     sent */
  SF_OPTION_SEND_BUFFER = 3,      /* TCP, UDP: bytes, 1 to 2^30, as far as the system grants them */
  SF_OPTION_RECEIVE_BUFFER = 4,   /* the same */
  SF_OPTION_LINGER = 5,           /* TCP: seconds that CLOSE waits for what is unsent, to 32,767; 0: it resets
                                     the connection; -1, from the start: it waits for nothing */
  SF_OPTION_BROADCAST = 6,        /* UDP: it may send to broadcast addresses */
  SF_OPTION_MULTICAST_HOPS = 7,   /* UDP: 0 to 255; 1 from the start */
  SF_OPTION_MULTICAST_LOOP = 8,   /* UDP: this host gets what it sends to a group; 1 from the start */
  SF_OPTION_HOPS = 9,             /* TCP, UDP: time to live, 1 to 255 */
};

enum sf_poll { SF_POLL_READABLE = 1, SF_POLL_WRITABLE = 2, SF_POLL_ERROR = 4, SF_POLL_HANG_UP = 8 };

enum sf_terminal_mode { SF_TERMINAL_COOKED = 0, SF_TERMINAL_RAW = 1 };

enum sf_resolver { SF_RESOLVER_CONFIGURATION = 0, SF_RESOLVER_HOSTS = 1 }; /* resolv.conf(5), hosts(5) */

enum sf_file_kind {
  SF_FILE_UNKNOWN = 0,
  SF_FILE_REGULAR = 1,
  SF_FILE_DIRECTORY = 2,
  SF_FILE_SYMLINK = 3,
  SF_FILE_PIPE = 4,
  SF_FILE_SOCKET = 5,
  SF_FILE_BLOCK_DEVICE = 6,
  SF_FILE_CHARACTER_DEVICE = 7,
};

enum sf_family { SF_FAMILY_IPV4 = 4, SF_FAMILY_IPV6 = 6 };

/* A TCP or UDP endpoint. `bytes` is the address in network order (the first 4 for IPv4). */
struct sf_address {
  uint16_t family; /* enum sf_family */
  uint16_t port;   /* host order */
  uint32_t scope;  /* IPv6 zone index, else 0 */
  uint8_t bytes[16];
};

struct sf_iovec {
  SF_ADDRESS(void) pointer;
  uint32_t length;
};

/* Largest payload of a UDP datagram, in bytes: over IPv6. Over IPv4 it is 65,507. */
#define SF_DATAGRAM_MAX 65527

/* Largest number of sf_iovec in one operation, and of sf_datagram in a batch. */
#define SF_IOVEC_MAX 64

/* Largest path, in bytes. */
#define SF_PATH_MAX 4096

/* Largest name of a Unix socket that is made, in bytes: of its path the last component. */
#define SF_UNIX_NAME_MAX 80

/* Times are nanoseconds since 1970. */
struct sf_stat {
  uint64_t device;
  uint64_t inode;
  uint64_t bytes;
  uint64_t allocated_bytes;
  int64_t accessed_ns;
  int64_t modified_ns;
  int64_t changed_ns;
  int64_t created_ns; /* 0: the file system does not know */
  uint32_t kind;      /* enum sf_file_kind */
  uint32_t mode;      /* permission bits, 07777 */
  uint32_t links;
  uint32_t user;
  uint32_t group;
  uint32_t block_bytes; /* what transfers had better be multiples of */
};

enum sf_time_change { SF_TIME_KEEP = 0, SF_TIME_AT = 1, SF_TIME_NOW = 2 };

struct sf_times {
  int64_t accessed_ns; /* nanoseconds since 1970 */
  int64_t modified_ns;
  uint32_t accessed; /* enum sf_time_change */
  uint32_t modified;
};

/* What READ_DIRECTORY writes, one behind the other, each at a multiple of 8. "." and ".." are left out. */
struct sf_directory_entry {
  uint64_t inode;        /* as in sf_stat; 0: not known, as on backends node and deno; sf_stat tells */
  uint16_t record_bytes; /* to the next one */
  uint8_t kind;          /* enum sf_file_kind */
  uint8_t name_bytes;
  uint32_t reserved;     /* and then the name, without a zero at its end */
};

/* Holds any sf_directory_entry with its name. */
#define SF_DIRECTORY_ENTRY_BYTES_MAX 272

/* One of a batch. */
struct sf_datagram {
  SF_ADDRESS(void) pointer;
  uint32_t length;
  int32_t result;       /* out: bytes */
  uint32_t truncated;   /* out, received: 1: there were more bytes */
  struct sf_address address; /* where to, or from; family 0: where the socket is connected to */
};

struct sf_terminal_size {
  uint16_t columns;
  uint16_t rows;
};

/* What SPAWN does with one of the child's first three descriptors, unless it is a handle. */
enum sf_process_stdio {
  SF_PROCESS_NULL = 0, /* nothing to read; what is written is lost */
  SF_PROCESS_INHERIT = 1,
  SF_PROCESS_PIPE = 2, /* `handle` becomes the other end */
  SF_PROCESS_HANDLE = 3, /* a duplicate of `handle` */
};

struct sf_process_stream {
  uint32_t kind; /* enum sf_process_stdio */
  int32_t handle;
};

/* Lists are strings one behind the other, each with a zero at its end. */
struct sf_process_request {
  SF_ADDRESS(const char) path; /* of the program: absolute, the host's; or its last part alone */
  uint32_t path_bytes;
  SF_ADDRESS(const char) arguments; /* from argv[0] on */
  uint32_t arguments_bytes;
  SF_ADDRESS(const char) environment; /* NAME=VALUE; 0 and 0 bytes: an empty one */
  uint32_t environment_bytes;
  SF_ADDRESS(const char) directory; /* where it starts: a guest path; 0 bytes: where the host is */
  uint32_t directory_bytes;
  struct sf_process_stream stdio[3];
};

struct sf_exit_status {
  int32_t code;    /* 0 to 255; -1: a signal ended it */
  uint32_t signal; /* the host's number; 0: it ended by itself */
};

/* What stands for a handle that was released, until it is adopted. Bytes that nobody can guess. */
struct sf_handle_token {
  uint8_t bytes[16];
};

/* Leaves the user or the group as it is. */
#define SF_ID_KEEP 4294967295

/* What no program can catch; beside enum sf_signal_kind. */
#define SF_SIGNAL_KILL 32

/* Guest to host: one operation. Completes exactly once, cancelled or not (CANCEL excepted). Fields that
 * an operation does not read are 0. */
struct sf_submission {
  uint16_t op;    /* enum sf_opcode */
  uint16_t flags; /* enum sf_path_flags */
  int32_t handle;
  uint32_t token; /* echoed in the completion */
  uint32_t pointer;
  uint32_t length;
  uint32_t argument;
  int64_t offset;
  uint32_t mode; /* permission bits of what is created */
  int32_t other_handle;
  int64_t other_offset;
  uint32_t other_pointer;
  uint32_t other_length;
  uint32_t reserved[2];
};

/* Host to guest. */
struct sf_completion {
  uint32_t token;
  int32_t result; /* >= 0, or a negated enum sf_errno */
  uint32_t flags; /* 0 */
  uint32_t reserved;
};

_Static_assert(sizeof(struct sf_address) == 24, "sf_address layout");
_Static_assert(sizeof(struct sf_iovec) == 8, "sf_iovec layout");
_Static_assert(sizeof(struct sf_stat) == 88, "sf_stat layout");
_Static_assert(sizeof(struct sf_directory_entry) == 16, "sf_directory_entry layout");
_Static_assert(sizeof(struct sf_datagram) == 40, "sf_datagram layout");
_Static_assert(sizeof(struct sf_process_request) == 56, "sf_process_request layout");
_Static_assert(sizeof(struct sf_handle_token) == 16, "sf_handle_token layout");
_Static_assert(sizeof(struct sf_submission) == 64, "sf_submission layout");
_Static_assert(sizeof(struct sf_completion) == 16, "sf_completion layout");

#endif
