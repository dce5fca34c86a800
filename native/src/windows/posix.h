/* posix.h - the names of POSIX that engine/ and calls/ use, over Windows. The headers in include/ lead here.
 *
 * A descriptor is a handle of the system's: those have 32 significant bits, and INVALID_HANDLE_VALUE is -1.
 * What POSIX knows of an open file and Windows does not is kept in a table of the process (descriptors.h).
 * Calls set errno, those of sockets too.
 */
#ifndef SF_POSIX_H
#define SF_POSIX_H

#define WIN32_LEAN_AND_MEAN
#include <winsock2.h>
#include <ws2tcpip.h>
/* After those. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>
#include <windows.h>

#undef EWOULDBLOCK
#define EWOULDBLOCK EAGAIN /* as everywhere else */

/* uio.h */

struct iovec {
  void *iov_base;
  size_t iov_len;
};

/* unistd.h, fcntl.h */

#define O_RDONLY 0
#define O_WRONLY 1
#define O_RDWR 2
#define O_ACCMODE 3
#define O_APPEND 0x8
#define O_CREAT 0x100
#define O_TRUNC 0x200
#define O_EXCL 0x400
#define O_DIRECTORY 0x1000
#define O_NOFOLLOW 0x2000
#define O_SYNC 0x4000
#define O_CLOEXEC 0 /* nothing is inherited */
#define O_NOCTTY 0
#define O_NONBLOCK 0

#define F_DUPFD_CLOEXEC 1
#define F_GETFL 2
#define F_SETFL 3

#define AT_SYMLINK_NOFOLLOW 1
#define AT_REMOVEDIR 2

int close(int fd);
int fcntl(int fd, int what, ...);
int open(const char *path, int flags);
int openat(int directory, const char *name, int flags, ...);
int64_t lseek(int fd, int64_t offset, int whence);
ssize_t readv(int fd, const struct iovec *parts, int count);
ssize_t writev(int fd, const struct iovec *parts, int count);
ssize_t preadv(int fd, const struct iovec *parts, int count, int64_t offset);
ssize_t pwritev(int fd, const struct iovec *parts, int count, int64_t offset);
ssize_t pread(int fd, void *data, size_t bytes, int64_t offset);
ssize_t pwrite(int fd, const void *data, size_t bytes, int64_t offset);
int ftruncate(int fd, int64_t bytes);
int posix_fallocate(int fd, int64_t offset, int64_t bytes);
int getentropy(void *out, size_t bytes);

/* Names are one component, and links are never followed. */
int symlinkat(const char *target, int directory, const char *name);
ssize_t readlinkat(int directory, const char *name, char *out, size_t bytes);
int unlinkat(int directory, const char *name, int flags);
int mkdirat(int directory, const char *name, uint32_t mode);
int renameat(int from_directory, const char *from, int to_directory, const char *to);
int linkat(int from_directory, const char *from, int to_directory, const char *to, int flags);

/* stdlib.h, wait.h: a child's number is its handle, which waitid closes once it has told how it ended. */

typedef uint32_t id_t;
typedef struct {
  pid_t si_pid;
  int si_code;
  int si_status;
} siginfo_t;
#define P_PID 1
#define WNOHANG 1
#define WEXITED 4
#define CLD_EXITED 1
#define CLD_KILLED 2
int waitid(int which, id_t id, siginfo_t *out, int flags);
int kill(pid_t pid, int signal);

/* unistd.h, ioctl.h: of the console. */

struct winsize {
  uint16_t ws_row;
  uint16_t ws_col;
};
#define TIOCGWINSZ 1
#define isatty sf__win_isatty
int isatty(int fd);
int ioctl(int fd, int what, struct winsize *out);

/* file.h: of the whole file, and of those who ask alone. */

#define LOCK_SH 1
#define LOCK_EX 2
#define LOCK_NB 4
#define LOCK_UN 8
int flock(int fd, int how);

/* stat.h */

#define S_IFMT 0170000
#define S_IFIFO 0010000
#define S_IFCHR 0020000
#define S_IFDIR 0040000
#define S_IFBLK 0060000
#define S_IFREG 0100000
#define S_IFLNK 0120000
#define S_IFSOCK 0140000
#define S_ISREG(mode) (((mode) & S_IFMT) == S_IFREG)
#define S_ISDIR(mode) (((mode) & S_IFMT) == S_IFDIR)
#define S_ISLNK(mode) (((mode) & S_IFMT) == S_IFLNK)
#define S_ISCHR(mode) (((mode) & S_IFMT) == S_IFCHR)
#define S_ISFIFO(mode) (((mode) & S_IFMT) == S_IFIFO)
#define S_ISSOCK(mode) (((mode) & S_IFMT) == S_IFSOCK)
#define UTIME_OMIT -1
#define UTIME_NOW -2

struct stat {
  uint64_t st_dev;
  uint64_t st_ino;
  uint32_t st_mode;
  uint32_t st_nlink;
  uint32_t st_uid;
  uint32_t st_gid;
  int64_t st_size;
  int64_t st_blocks;
  uint32_t st_blksize;
  struct timespec st_atim;
  struct timespec st_mtim;
  struct timespec st_ctim;
  struct timespec st_birthtim;
};

int fstat(int fd, struct stat *out);
int fstatat(int directory, const char *name, struct stat *out, int flags);
/* What there is of permission bits: whether anybody may write. */
int sf__win_chmodat(int directory, const char *name, uint32_t mode);
int futimens(int fd, const struct timespec times[2]);
int utimensat(int directory, const char *name, const struct timespec times[2], int flags);

/* dirent.h */

#define DT_UNKNOWN 0
#define DT_FIFO 1
#define DT_CHR 2
#define DT_DIR 4
#define DT_BLK 6
#define DT_REG 8
#define DT_LNK 10
#define DT_SOCK 12

struct dirent {
  uint64_t d_ino;
  uint8_t d_type;
  char d_name[768]; /* 255 units of UTF-16 */
};

typedef struct sf_win_directory DIR;
DIR *fdopendir(int fd);
struct dirent *readdir(DIR *stream);
void rewinddir(DIR *stream);
int closedir(DIR *stream);

#define _SC_NPROCESSORS_ONLN 1
#define _SC_PAGESIZE 2
long sysconf(int what);

/* mman.h */

#define MADV_FREE 1
int madvise(void *address, size_t bytes, int advice);

/* socket.h: the calls of Winsock, with errno. */

#define SHUT_RD SD_RECEIVE
#define SHUT_WR SD_SEND
#define SHUT_RDWR SD_BOTH
#define MSG_NOSIGNAL 0
#define MSG_DONTWAIT 0 /* no socket ever blocks */
#define MSG_TRUNC 1    /* in msg_flags */

struct msghdr {
  void *msg_name;
  socklen_t msg_namelen;
  struct iovec *msg_iov;
  size_t msg_iovlen;
  int msg_flags;
};

ssize_t sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t recvmsg(int fd, struct msghdr *message, int flags);
#define send sf__win_send
ssize_t send(int fd, const void *data, size_t bytes, int flags);

#define accept sf__win_accept
#define bind sf__win_bind
#define connect sf__win_connect
#define getpeername sf__win_getpeername
#define getsockname sf__win_getsockname
#define getsockopt sf__win_getsockopt
#define listen sf__win_listen
#define setsockopt sf__win_setsockopt
#define shutdown sf__win_shutdown
int bind(int fd, const struct sockaddr *address, socklen_t bytes);
int connect(int fd, const struct sockaddr *address, socklen_t bytes);
int getpeername(int fd, struct sockaddr *address, socklen_t *bytes);
int getsockname(int fd, struct sockaddr *address, socklen_t *bytes);
int getsockopt(int fd, int level, int name, void *value, socklen_t *bytes);
int listen(int fd, int backlog);
int setsockopt(int fd, int level, int name, const void *value, socklen_t bytes);
int shutdown(int fd, int how);

/* As socketpair(2), of streams. */
int sf__win_socket_pair(int fds[2]);

/* time.h: there is one clock. */

#define clock_gettime sf__win_clock_gettime
int clock_gettime(int clock, struct timespec *out);

/* pthread.h, signal.h */

typedef HANDLE sf_win_thread;
typedef SRWLOCK sf_win_mutex;
typedef CONDITION_VARIABLE sf_win_cond;
typedef INIT_ONCE sf_win_once;
typedef struct {
  int clock;
} sf_win_condattr;

#define pthread_t sf_win_thread
#define pthread_mutex_t sf_win_mutex
#define pthread_cond_t sf_win_cond
#define pthread_condattr_t sf_win_condattr
#define pthread_once_t sf_win_once
#undef PTHREAD_ONCE_INIT
#define PTHREAD_ONCE_INIT INIT_ONCE_STATIC_INIT

#define pthread_create sf__win_thread_create
#define pthread_join sf__win_thread_join
#define pthread_detach sf__win_thread_detach
#define pthread_once sf__win_once
#define pthread_mutex_init sf__win_mutex_init
#define pthread_mutex_destroy sf__win_mutex_destroy
#define pthread_mutex_lock sf__win_mutex_lock
#define pthread_mutex_unlock sf__win_mutex_unlock
#define pthread_condattr_init sf__win_condattr_init
#define pthread_condattr_setclock sf__win_condattr_setclock
#define pthread_condattr_destroy sf__win_condattr_destroy
#define pthread_cond_init sf__win_cond_init
#define pthread_cond_destroy sf__win_cond_destroy
#define pthread_cond_signal sf__win_cond_signal
#define pthread_cond_broadcast sf__win_cond_broadcast
#define pthread_cond_timedwait sf__win_cond_timedwait

int pthread_create(pthread_t *out, const void *attributes, void *(*run)(void *), void *argument);
int pthread_join(pthread_t thread, void **result);
int pthread_detach(pthread_t thread);
int pthread_once(pthread_once_t *once, void (*run)(void));
int pthread_mutex_init(pthread_mutex_t *mutex, const void *attributes);
int pthread_mutex_destroy(pthread_mutex_t *mutex);
int pthread_mutex_lock(pthread_mutex_t *mutex);
int pthread_mutex_unlock(pthread_mutex_t *mutex);
int pthread_condattr_init(pthread_condattr_t *attributes);
int pthread_condattr_setclock(pthread_condattr_t *attributes, int clock);
int pthread_condattr_destroy(pthread_condattr_t *attributes);
int pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attributes);
int pthread_cond_destroy(pthread_cond_t *cond);
int pthread_cond_signal(pthread_cond_t *cond);
int pthread_cond_broadcast(pthread_cond_t *cond);
int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                           const struct timespec *until);

/* A thread has no signals; a call that waits is ended by another way. Those of children are Linux's numbers. */
#define sigset_t sf_win_sigset
typedef int sf_win_sigset;
struct sigaction {
  int sa_flags;
  void (*sa_handler)(int);
};
#undef SIGINT
#undef SIGTERM
#define SIGHUP 1
#define SIGINT 2
#define SIGQUIT 3
#define SIGKILL 9
#define SIGUSR1 10
#define SIGUSR2 12
#define SIGTERM 15
#define SIGURG 23
#define SIGWINCH 28
#define SIG_SETMASK 1
#define SIG_DFL ((void (*)(int))0)
#define SIG_IGN ((void (*)(int))1)
#define SA_SIGINFO 1
#define sigfillset(set) ((void)(set))
#define sigdelset(set, signal) ((void)(set))
#define sigaction(signal, action, before) sf__win_sigaction(before)
#undef pthread_sigmask
#define pthread_sigmask sf__win_sigmask
#define pthread_kill(thread, signal) sf__win_thread_interrupt(thread)
int sf__win_thread_interrupt(pthread_t thread);

static inline int sf__win_sigmask(int how, const sigset_t *set, sigset_t *before) {
  (void)how;
  (void)set;
  (void)before;
  return 0;
}

static inline int sf__win_sigaction(struct sigaction *before) {
  (void)before;
  return -1;
}

#endif
