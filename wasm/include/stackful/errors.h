/* errors.h - error numbers, the same on every host and backend. Part of abi.h. */
#ifndef STACKFUL_ERRORS_H
#define STACKFUL_ERRORS_H

/* Error numbers are WASI preview 1's. Results carry them negated. */
/*      name            code  meaning */
#define SF_ERRNO_MAP(X) \
  X(E2BIG,             1, "argument list too long") \
  X(EACCES,            2, "permission denied") \
  X(EADDRINUSE,        3, "address in use") \
  X(EADDRNOTAVAIL,     4, "address not available") \
  X(EAFNOSUPPORT,      5, "address family not supported") \
  X(EAGAIN,            6, "resource unavailable, try again") \
  X(EALREADY,          7, "connection already in progress") \
  X(EBADF,             8, "bad or closed handle") \
  X(EBADMSG,           9, "bad message") \
  X(EBUSY,            10, "resource busy") \
  X(ECANCELED,        11, "operation canceled") \
  X(ECHILD,           12, "no child process") \
  X(ECONNABORTED,     13, "connection aborted") \
  X(ECONNREFUSED,     14, "connection refused") \
  X(ECONNRESET,       15, "connection reset by peer") \
  X(EDEADLK,          16, "deadlock would occur") \
  X(EDESTADDRREQ,     17, "destination address required") \
  X(EDOM,             18, "argument out of domain") \
  X(EDQUOT,           19, "disk quota exceeded") \
  X(EEXIST,           20, "file exists") \
  X(EFAULT,           21, "address outside the guest's memory") \
  X(EFBIG,            22, "file too large") \
  X(EHOSTUNREACH,     23, "host unreachable") \
  X(EINPROGRESS,      26, "operation in progress") \
  X(EINTR,            27, "interrupted") \
  X(EINVAL,           28, "invalid argument") \
  X(EIO,              29, "input/output error") \
  X(EISCONN,          30, "already connected") \
  X(EISDIR,           31, "is a directory") \
  X(ELOOP,            32, "too many symbolic links") \
  X(EMFILE,           33, "too many open handles") \
  X(EMLINK,           34, "too many links") \
  X(EMSGSIZE,         35, "message too large") \
  X(ENAMETOOLONG,     37, "name too long") \
  X(ENETDOWN,         38, "network down") \
  X(ENETRESET,        39, "connection reset by network") \
  X(ENETUNREACH,      40, "network unreachable") \
  X(ENFILE,           41, "too many open files in the system") \
  X(ENOBUFS,          42, "no buffer space") \
  X(ENODEV,           43, "no such device") \
  X(ENOENT,           44, "no such file or directory") \
  X(ENOEXEC,          45, "no program that the system runs") \
  X(ENOMEM,           48, "out of memory") \
  X(ENOPROTOOPT,      50, "option not supported by the protocol") \
  X(ENOSPC,           51, "no space left on device") \
  X(ENOSYS,           52, "operation not supported by this backend") \
  X(ENOTCONN,         53, "not connected") \
  X(ENOTDIR,          54, "not a directory") \
  X(ENOTEMPTY,        55, "directory not empty") \
  X(ENOTRECOVERABLE,  56, "the task trapped") \
  X(ENOTSOCK,         57, "not a socket") \
  X(ENOTSUP,          58, "not supported") \
  X(ENOTTY,           59, "not a terminal") \
  X(ENXIO,            60, "no such device or address") \
  X(EOVERFLOW,        61, "value too large") \
  X(EOWNERDEAD,       62, "the task it belonged to has ended") \
  X(EPERM,            63, "operation not permitted") \
  X(EPIPE,            64, "closed by the other end") \
  X(EPROTO,           65, "protocol error") \
  X(EPROTONOSUPPORT,  66, "protocol not supported") \
  X(EPROTOTYPE,       67, "wrong protocol type for socket") \
  X(ERANGE,           68, "result too large") \
  X(EROFS,            69, "read-only file system") \
  X(ESPIPE,           70, "not seekable") \
  X(ESRCH,            71, "no such task") \
  X(ESTALE,           72, "stale handle") \
  X(ETIMEDOUT,        73, "timed out") \
  X(ETXTBSY,          74, "text file busy") \
  X(EXDEV,            75, "cross-device link") \
  X(ENOTCAPABLE,      76, "not granted to this guest")

enum sf_errno {
#define X(name, code, text) SF_##name = (code),
  SF_ERRNO_MAP(X)
#undef X
};

#endif
