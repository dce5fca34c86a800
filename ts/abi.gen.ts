// Generated from wasm/include/stackful/abi.h by scripts/gen-abi.ts. Do not edit.
// Committed so that the types, and every change of the ABI, are visible without a build.

export const DATAGRAM_MAX = 65527;
export const IOVEC_MAX = 64;
export const PATH_MAX = 4096;
export const UNIX_NAME_MAX = 80;
export const DIRECTORY_ENTRY_BYTES_MAX = 272;
export const ID_KEEP = 4294967295;
export const SIGNAL_KILL = 32;
export const ABI_VERSION = 2;
export const AGE_SHIFT = 20;
export const STACK_BYTES_MIN = 1024;
export const SIZE_CLASSES = 14;

export const ERRNO = {
  E2BIG: 1,
  EACCES: 2,
  EADDRINUSE: 3,
  EADDRNOTAVAIL: 4,
  EAFNOSUPPORT: 5,
  EAGAIN: 6,
  EALREADY: 7,
  EBADF: 8,
  EBADMSG: 9,
  EBUSY: 10,
  ECANCELED: 11,
  ECHILD: 12,
  ECONNABORTED: 13,
  ECONNREFUSED: 14,
  ECONNRESET: 15,
  EDEADLK: 16,
  EDESTADDRREQ: 17,
  EDOM: 18,
  EDQUOT: 19,
  EEXIST: 20,
  EFAULT: 21,
  EFBIG: 22,
  EHOSTUNREACH: 23,
  EINPROGRESS: 26,
  EINTR: 27,
  EINVAL: 28,
  EIO: 29,
  EISCONN: 30,
  EISDIR: 31,
  ELOOP: 32,
  EMFILE: 33,
  EMLINK: 34,
  EMSGSIZE: 35,
  ENAMETOOLONG: 37,
  ENETDOWN: 38,
  ENETRESET: 39,
  ENETUNREACH: 40,
  ENFILE: 41,
  ENOBUFS: 42,
  ENODEV: 43,
  ENOENT: 44,
  ENOEXEC: 45,
  ENOMEM: 48,
  ENOPROTOOPT: 50,
  ENOSPC: 51,
  ENOSYS: 52,
  ENOTCONN: 53,
  ENOTDIR: 54,
  ENOTEMPTY: 55,
  ENOTRECOVERABLE: 56,
  ENOTSOCK: 57,
  ENOTSUP: 58,
  ENOTTY: 59,
  ENXIO: 60,
  EOVERFLOW: 61,
  EOWNERDEAD: 62,
  EPERM: 63,
  EPIPE: 64,
  EPROTO: 65,
  EPROTONOSUPPORT: 66,
  EPROTOTYPE: 67,
  ERANGE: 68,
  EROFS: 69,
  ESPIPE: 70,
  ESRCH: 71,
  ESTALE: 72,
  ETIMEDOUT: 73,
  ETXTBSY: 74,
  EXDEV: 75,
  ENOTCAPABLE: 76,
} as const;

export const ERRNO_TEXT: Readonly<Record<number, string>> = {
  1: "argument list too long",
  2: "permission denied",
  3: "address in use",
  4: "address not available",
  5: "address family not supported",
  6: "resource unavailable, try again",
  7: "connection already in progress",
  8: "bad or closed handle",
  9: "bad message",
  10: "resource busy",
  11: "operation canceled",
  12: "no child process",
  13: "connection aborted",
  14: "connection refused",
  15: "connection reset by peer",
  16: "deadlock would occur",
  17: "destination address required",
  18: "argument out of domain",
  19: "disk quota exceeded",
  20: "file exists",
  21: "address outside the guest's memory",
  22: "file too large",
  23: "host unreachable",
  26: "operation in progress",
  27: "interrupted",
  28: "invalid argument",
  29: "input/output error",
  30: "already connected",
  31: "is a directory",
  32: "too many symbolic links",
  33: "too many open handles",
  34: "too many links",
  35: "message too large",
  37: "name too long",
  38: "network down",
  39: "connection reset by network",
  40: "network unreachable",
  41: "too many open files in the system",
  42: "no buffer space",
  43: "no such device",
  44: "no such file or directory",
  45: "no program that the system runs",
  48: "out of memory",
  50: "option not supported by the protocol",
  51: "no space left on device",
  52: "operation not supported by this backend",
  53: "not connected",
  54: "not a directory",
  55: "directory not empty",
  56: "the task trapped",
  57: "not a socket",
  58: "not supported",
  59: "not a terminal",
  60: "no such device or address",
  61: "value too large",
  62: "the task it belonged to has ended",
  63: "operation not permitted",
  64: "closed by the other end",
  65: "protocol error",
  66: "protocol not supported",
  67: "wrong protocol type for socket",
  68: "result too large",
  69: "read-only file system",
  70: "not seekable",
  71: "no such task",
  72: "stale handle",
  73: "timed out",
  74: "text file busy",
  75: "cross-device link",
  76: "not granted to this guest",
};

export const OP = {
  CANCEL: 1,
  LISTEN: 2,
  ACCEPT: 3,
  CONNECT: 4,
  READ: 5,
  WRITE: 6,
  READV: 7,
  WRITEV: 8,
  SHUTDOWN: 9,
  CLOSE: 10,
  OPEN: 11,
  PREAD: 12,
  PWRITE: 13,
  FSYNC: 14,
  LOCAL_ADDRESS: 15,
  PEER_ADDRESS: 16,
  UDP_BIND: 17,
  SEND_TO: 18,
  RECEIVE_FROM: 19,
  PREADV: 20,
  PWRITEV: 21,
  SEEK: 22,
  STAT: 23,
  CHMOD: 24,
  CHOWN: 25,
  UTIMES: 26,
  TRUNCATE: 27,
  ALLOCATE: 28,
  ACCESS: 29,
  LINK: 30,
  SYMLINK: 31,
  READLINK: 32,
  UNLINK: 33,
  RMDIR: 34,
  RENAME: 35,
  MKDIR: 36,
  READ_DIRECTORY: 37,
  LOCK: 38,
  COPY: 39,
  SEND_FILE: 40,
  SET_OPTION: 41,
  GET_OPTION: 42,
  MEMBERSHIP: 43,
  UDP_CONNECT: 44,
  SEND_BATCH: 45,
  RECEIVE_BATCH: 46,
  UNIX_LISTEN: 47,
  UNIX_CONNECT: 48,
  UNIX_BIND: 49,
  UNIX_SEND_TO: 50,
  SOCKET_PAIR: 51,
  PIPE: 52,
  SEND_HANDLE: 53,
  RECEIVE_HANDLE: 54,
  POLL: 55,
  STDIO: 56,
  TERMINAL_SIZE: 57,
  TERMINAL_MODE: 58,
  SPAWN: 59,
  WAIT: 60,
  KILL: 61,
  RESOLVER: 62,
  LOOKUP: 63,
  RELEASE: 64,
  ADOPT: 65,
} as const;

export const WAIT = {
  READY: 0,
  SEND: 1,
  RECEIVE: 2,
  JOIN: 3,
  SLEEP: 4,
  UNPARK: 5,
  OP: 6,
  HOST: 7,
  TASK: 8,
  GROUP: 9,
  GROUP_CANCEL: 10,
  GROUP_ROOM: 11,
  SPAWN_ROOM: 12,
  SELECT: 13,
  MUTEX: 14,
  RELOCK: 15,
  READ_LOCK: 16,
  WRITE_LOCK: 17,
  CONDITION: 18,
  SEMAPHORE: 19,
  BARRIER: 20,
  EVENT: 21,
  NOTIFY: 22,
  FUTURE: 23,
  ONCE: 24,
  FUTEX: 25,
  LATCH: 26,
  BROADCAST: 27,
  WATCH: 28,
  SIGNAL: 29,
  OPERATION: 30,
  SOURCE: 31,
} as const;

export const WAIT_TEXT: Readonly<Record<number, string>> = {
  0: "ready",
  1: "channel send",
  2: "channel receive",
  3: "join",
  4: "sleep",
  5: "unpark",
  6: "operation",
  7: "host promise",
  8: "end of a task",
  9: "group",
  10: "end of a canceled group",
  11: "room in a group",
  12: "room for a task",
  13: "select",
  14: "mutex",
  15: "mutex, after a condition",
  16: "read lock",
  17: "write lock",
  18: "condition",
  19: "semaphore",
  20: "barrier",
  21: "event",
  22: "notification",
  23: "future",
  24: "once",
  25: "futex",
  26: "latch",
  27: "broadcast",
  28: "watch",
  29: "signal",
  30: "started operation",
  31: "source",
};

export const SIGNAL = {
  INTERRUPT: 1,
  TERMINATE: 2,
  HANGUP: 3,
  QUIT: 4,
  USER1: 5,
  USER2: 6,
  WINDOW: 7,
} as const;

export const SIGNAL_TEXT: Readonly<Record<number, string>> = {
  1: "SIGINT",
  2: "SIGTERM",
  3: "SIGHUP",
  4: "SIGQUIT",
  5: "SIGUSR1",
  6: "SIGUSR2",
  7: "SIGWINCH",
};

export const FAULT = {
  NONE: 0,
  TRAP: 1,
  C_STACK_OVERFLOW: 2,
  FRAMES_OVERFLOW: 3,
  NESTED_SUSPEND: 4,
  HOST: 5,
} as const;

export const FAULT_TEXT: Readonly<Record<number, string>> = {
  0: "none",
  1: "wasm trap",
  2: "C stack overflow",
  3: "saved frames overflow",
  4: "cannot park: a host frame is on the stack, or no task is running",
  5: "host import threw",
};

export const SHUTDOWN = {
  READ: 0,
  WRITE: 1,
  BOTH: 2,
} as const;

export const OPEN = {
  READ: 1,
  WRITE: 2,
  CREATE: 4,
  EXCLUSIVE: 8,
  TRUNCATE: 16,
  APPEND: 32,
  DIRECTORY: 64,
  NO_FOLLOW: 128,
  SYNC: 256,
  TEMPORARY: 512,
} as const;

export const PATH_FLAGS = {
  NO_FOLLOW: 1,
} as const;

export const SYNC = {
  ALL: 0,
  DATA: 1,
} as const;

export const SEEK = {
  START: 0,
  CURRENT: 1,
  END: 2,
} as const;

export const ACCESS = {
  EXISTS: 0,
  EXECUTE: 1,
  WRITE: 2,
  READ: 4,
} as const;

export const RENAME = {
  REPLACE: 0,
  NO_REPLACE: 1,
  EXCHANGE: 2,
} as const;

export const LOCK = {
  NONE: 0,
  SHARED: 1,
  EXCLUSIVE: 2,
  TRY: 4,
} as const;

export const BIND = {
  REUSE_PORT: 1,
  REUSE_ADDRESS: 2,
} as const;

export const SOCKET_TYPE = {
  STREAM: 0,
  DATAGRAM: 1,
} as const;

export const OPTION = {
  NO_DELAY: 1,
  KEEP_ALIVE: 2,
  SEND_BUFFER: 3,
  RECEIVE_BUFFER: 4,
  LINGER: 5,
  BROADCAST: 6,
  MULTICAST_HOPS: 7,
  MULTICAST_LOOP: 8,
  HOPS: 9,
} as const;

export const POLL = {
  READABLE: 1,
  WRITABLE: 2,
  ERROR: 4,
  HANG_UP: 8,
} as const;

export const TERMINAL_MODE = {
  COOKED: 0,
  RAW: 1,
} as const;

export const RESOLVER = {
  CONFIGURATION: 0,
  HOSTS: 1,
} as const;

export const FILE_KIND = {
  UNKNOWN: 0,
  REGULAR: 1,
  DIRECTORY: 2,
  SYMLINK: 3,
  PIPE: 4,
  SOCKET: 5,
  BLOCK_DEVICE: 6,
  CHARACTER_DEVICE: 7,
} as const;

export const FAMILY = {
  IPV4: 4,
  IPV6: 6,
} as const;

export const TIME_CHANGE = {
  KEEP: 0,
  AT: 1,
  NOW: 2,
} as const;

export const PROCESS_STDIO = {
  NULL: 0,
  INHERIT: 1,
  PIPE: 2,
  HANDLE: 3,
} as const;

export const STATE = {
  NEW: 0,
  PARKED: 1,
  RUNNING: 2,
  ENDED: 3,
  FREE: 4,
  DOOMED: 5,
  PROBED: 6,
} as const;

export const ARM_SOURCE = {
  NONE: 0,
  RECEIVE: 1,
  SEND: 2,
  TASK: 3,
  GROUP: 4,
  BROADCAST: 5,
  WATCH: 6,
  EVENT: 7,
  NOTIFY: 8,
  FUTURE: 9,
  SEMAPHORE: 10,
  LATCH: 11,
  TIMEOUT: 12,
  SIGNAL: 13,
  OPERATION: 14,
  SOURCE: 15,
} as const;

export const TASK_FLAGS = {
  DETACHED: 1,
  HOST_OWNED: 2,
  CANCELED: 4,
  PERMIT: 8,
  CANCEL_SENT: 16,
  EXPIRED: 32,
  UNARMED: 64,
} as const;

export const ADDRESS = {
  size: 24,
  family: 0,
  port: 2,
  scope: 4,
  bytes: 8,
} as const;

export const IOVEC = {
  size: 8,
  pointer: 0,
  length: 4,
} as const;

export const STAT = {
  size: 88,
  device: 0,
  inode: 8,
  bytes: 16,
  allocatedBytes: 24,
  accessedNs: 32,
  modifiedNs: 40,
  changedNs: 48,
  createdNs: 56,
  kind: 64,
  mode: 68,
  links: 72,
  user: 76,
  group: 80,
  blockBytes: 84,
} as const;

export const TIMES = {
  size: 24,
  accessedNs: 0,
  modifiedNs: 8,
  accessed: 16,
  modified: 20,
} as const;

export const DIRECTORY_ENTRY = {
  size: 16,
  inode: 0,
  recordBytes: 8,
  kind: 10,
  nameBytes: 11,
  reserved: 12,
} as const;

export const DATAGRAM = {
  size: 40,
  pointer: 0,
  length: 4,
  result: 8,
  truncated: 12,
  address: 16,
} as const;

export const TERMINAL_SIZE = {
  size: 4,
  columns: 0,
  rows: 2,
} as const;

export const PROCESS_STREAM = {
  size: 8,
  kind: 0,
  handle: 4,
} as const;

export const PROCESS_REQUEST = {
  size: 56,
  path: 0,
  pathBytes: 4,
  arguments: 8,
  argumentsBytes: 12,
  environment: 16,
  environmentBytes: 20,
  directory: 24,
  directoryBytes: 28,
  stdio: 32,
} as const;

export const EXIT_STATUS = {
  size: 8,
  code: 0,
  signal: 4,
} as const;

export const HANDLE_TOKEN = {
  size: 16,
  bytes: 0,
} as const;

export const SUBMISSION = {
  size: 64,
  op: 0,
  flags: 2,
  handle: 4,
  token: 8,
  pointer: 12,
  length: 16,
  argument: 20,
  offset: 24,
  mode: 32,
  otherHandle: 36,
  otherOffset: 40,
  otherPointer: 48,
  otherLength: 52,
  reserved: 56,
} as const;

export const COMPLETION = {
  size: 16,
  token: 0,
  result: 4,
  flags: 8,
  reserved: 12,
} as const;

export const WAITER = {
  size: 24,
  next: 0,
  previous: 4,
  task: 8,
  item: 12,
  count: 16,
  result: 20,
} as const;

export const WAIT_QUEUE = {
  size: 8,
  first: 0,
  last: 4,
} as const;

export const TIMER_NODE = {
  size: 24,
  deadlineNs: 0,
  child: 8,
  sibling: 12,
  previous: 16,
  kind: 20,
} as const;

export const ARM = {
  size: 64,
  waiter: 0,
  source: 24,
  object: 28,
  value: 32,
  timer: 40,
} as const;

export const TASK = {
  size: 176,
  framesPosition: 0,
  framesEnd: 4,
  stackPointer: 8,
  stackLimit: 12,
  stackSpan: 16,
  entry: 20,
  entryArgument: 24,
  next: 28,
  waiter: 32,
  waitQueue: 56,
  state: 60,
  flags: 61,
  wait: 62,
  sizeClass: 63,
  slot: 64,
  waitDetail: 68,
  switches: 72,
  parkedAt: 76,
  serial: 80,
  result: 84,
  faultBytes: 88,
  fault: 92,
  nameBytes: 93,
  shields: 94,
  reserved: 95,
  joiners: 96,
  timer: 104,
  name: 128,
  allNext: 132,
  allPrevious: 136,
  scopes: 140,
  locals: 144,
  attached: 148,
  group: 152,
  groupNext: 156,
  groupPrevious: 160,
  groupResult: 164,
  createdAt: 168,
  stackHigh: 172,
} as const;

export const SPAN = {
  size: 8,
  next: 0,
  bytes: 4,
} as const;

export const SHARED = {
  size: 128,
  nowNs: 0,
  deadlineNs: 8,
  switches: 16,
  submissions: 24,
  submissionsCapacity: 28,
  submissionsHead: 32,
  submissionsTail: 36,
  completions: 40,
  completionsCapacity: 44,
  completionsHead: 48,
  completionsTail: 52,
  tasksLive: 56,
  tasksMax: 60,
  opsPending: 64,
  ended: 68,
  signaled: 72,
  all: 76,
  fault: 80,
  faultBytes: 84,
  regionsBytes: 88,
  stackBytesDefault: 92,
  sleepers: 96,
  signalsWatched: 100,
  entryClasses: 104,
  entryClassesCount: 108,
  stackMarks: 112,
  stackMarksCount: 116,
  regionsFreeBytes: 120,
  attemptsMax: 124,
} as const;
