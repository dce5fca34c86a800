/* spawn.c - SPAWN: a child, from fork to exec. On a thread of the pool. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls/beneath.h"
#include "calls/spawn.h"
#include "engine/os-errno.h"
#include "engine/platform.h"

/* A child that shares its parent's memory until exec costs the same however large that is. */
#ifdef __APPLE__
#define FORK fork
#else
#define FORK vfork
#endif

/* Where a child does not find its first three descriptors. */
#define ABOVE SF_STREAMS

struct child {
  const struct sf_spawn *spawn;
  const int *streams;
  int directory;
  int failure; /* it writes its errno there; closed by exec */
  int descriptors_limit;
};

/* The number of the system, of which there are fewer everywhere. */
#define SIGNALS_MAX 128

/* Handlers are the parent's code; and what it ignores (SIGPIPE, in Node) the child shall not. */
static void reset_signals(void) {
  struct sigaction action = { .sa_handler = SIG_DFL };
  sigemptyset(&action.sa_mask);
  for (int i = 1; i < SIGNALS_MAX; i++) sigaction(i, &action, NULL);
  pthread_sigmask(SIG_SETMASK, &action.sa_mask, NULL);
}

/* Becomes the first of the programs that can be run. Returns the errno if there is none. */
static int execute(const struct sf_spawn *spawn) {
  int reason = ENOENT;
  for (const char *at = NULL; (at = sf__strings_next(&spawn->programs, at)) != NULL;) {
    execve(at, spawn->arguments, spawn->environment);
    if (errno == EACCES) {
      reason = EACCES;
    } else if (errno != ENOENT && errno != ENOTDIR) {
      return errno;
    } else if (reason != EACCES) {
      reason = errno;
    }
  }
  return reason;
}

/* In the child, which may do what is safe in a handler of signals and nothing else. */
static _Noreturn __attribute__((noinline)) void become_program(const struct child *child) {
  int failure = child->failure;
  int err = 0;
  reset_signals();
  for (int i = 0; i < SF_STREAMS && err == 0; i++) {
    if (dup2(child->streams[i], i) < 0) err = errno;
  }
  if (err == 0 && child->directory >= 0 && fchdir(child->directory) < 0) err = errno;
  if (err == 0 && failure != ABOVE) {
    if (dup2(failure, ABOVE) < 0 || fcntl(ABOVE, F_SETFD, FD_CLOEXEC) < 0) {
      err = errno;
    } else {
      failure = ABOVE;
    }
  }
  if (err == 0) {
    sf__os_close_from(ABOVE + 1, child->descriptors_limit);
    err = execute(child->spawn);
  }
  while (write(failure, &err, sizeof(err)) < 0 && errno == EINTR) {
  }
  _exit(127);
}

/* With every signal blocked: no handler of the parent's runs in a child that shares its memory. */
static pid_t fork_child(const struct child *child) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = FORK();
  if (pid == 0) become_program(child);
  const int err = errno;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = err;
  return pid;
}

/* Waits until the child has become its program. Returns 0, or the errno that kept it from that. */
static int read_failure(int fd) {
  int failure;
  ssize_t bytes;
  do {
    bytes = read(fd, &failure, sizeof(failure));
  } while (bytes < 0 && errno == EINTR);
  return bytes == (ssize_t)sizeof(failure) ? failure : 0;
}

/* The end of a child that is of no use. */
static void discard(pid_t pid) {
  kill(pid, SIGKILL);
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
  }
}

/* At 3 or above, closed by exec; closes `fd`. Returns -1 with errno. */
static int lift(int fd) {
  if (fd >= ABOVE || fd < 0) return fd;
  const int lifted = fcntl(fd, F_DUPFD_CLOEXEC, ABOVE);
  const int err = errno;
  close(fd);
  errno = err;
  return lifted;
}

int32_t sf__spawn_program(const struct sf_spawn *spawn, const int streams[SF_STREAMS],
                          int directory) {
  struct child child = {
    .spawn = spawn,
    .streams = streams,
    .directory = directory,
    .descriptors_limit = sf__os_descriptors_limit(),
  };
  int ends[2];
  if (sf__os_pipe(ends, false) < 0) return sf__error(errno);
  int32_t err = 0;
  child.failure = lift(ends[1]);
  if (child.failure < 0) {
    err = sf__error(errno);
    goto fail_lift;
  }
  const pid_t pid = fork_child(&child);
  if (pid < 0) err = sf__error(errno);
  close(child.failure);
  if (pid < 0) goto fail_lift;

  const int failure = read_failure(ends[0]);
  int fd = -1;
  if (failure == 0) fd = sf__os_exit_descriptor(pid);
  if (fd < 0) {
    err = sf__error(failure != 0 ? failure : errno);
    discard(pid);
    goto fail_lift;
  }
  close(ends[0]);
  spawn->process->pid = pid;
  return fd;

fail_lift:
  close(ends[0]);
  return err;
}

static int32_t duplicate(int fd) {
  const int own = fcntl(fd, F_DUPFD_CLOEXEC, ABOVE);
  return own < 0 ? sf__error(errno) : own;
}

/* One that blocks. *own becomes -1 where there is none. Returns 0 or a negated sf_errno. */
static int32_t find_blocking(int fd, int *own) {
  struct stat status;
  const int flags = fcntl(fd, F_GETFL);
  *own = -1;
  if (flags < 0 || fstat(fd, &status) < 0) return sf__error(errno);
  if ((flags & O_NONBLOCK) == 0) return *own = duplicate(fd);
  if (S_ISSOCK(status.st_mode)) return 0;
  *own = lift(sf__os_open_again(fd));
  if (*own >= 0) fcntl(*own, F_SETFL, flags & O_APPEND);
  return 0;
}

int32_t sf__child_descriptor(int fd, bool may, bool *shared) {
  int own;
  const int32_t err = find_blocking(fd, &own);
  if (err < 0 || own >= 0) return err < 0 ? err : own;
  if (!may) return -SF_EBUSY;
  if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) < 0) return sf__error(errno);
  *shared = true;
  return duplicate(fd);
}

int32_t sf__inherited_descriptor(int fd) {
  int own;
  const int32_t err = find_blocking(fd, &own);
  return err < 0 ? err : own >= 0 ? own : duplicate(fd);
}

/* The child's descriptor of one stream; the guest's end of a pipe goes into `stream`. Returns it or a
 * negated sf_errno. */
static int32_t open_stream(struct sf_stream_request *stream, int number) {
  int ends[2];
  if (stream->kind == SF_PROCESS_HANDLE || stream->kind == SF_PROCESS_INHERIT) {
    const int fd = fcntl(stream->given, F_DUPFD_CLOEXEC, ABOVE);
    return fd < 0 ? sf__error(errno) : fd;
  }
  if (stream->kind != SF_PROCESS_PIPE) {
    const int fd = lift(open("/dev/null", (number == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC));
    return fd < 0 ? sf__error(errno) : fd;
  }
  if (sf__os_pipe(ends, false) < 0) return sf__error(errno);
  const int mine = number == 0 ? 1 : 0;
  fcntl(ends[mine], F_SETFL, O_NONBLOCK);
  const int fd = lift(ends[1 - mine]);
  if (fd < 0) {
    const int32_t err = sf__error(errno);
    close(ends[mine]);
    return err;
  }
  stream->given = ends[mine];
  return fd;
}

int32_t sf__call_spawn(const struct sf_call *call) {
  struct sf_spawn *spawn = call->kept;
  const struct sf_path *path = spawn->directory;
  int streams[SF_STREAMS] = { -1, -1, -1 };
  int directory = -1;
  int32_t result = 0;
  if (path != NULL) {
    directory = lift(sf__open_beneath(path->directory, path->rest, SF_WALK_FLAGS, 0));
    if (directory < 0) result = errno == EXDEV ? -SF_ENOTCAPABLE : sf__error(errno);
  }
  for (int i = 0; i < SF_STREAMS && result == 0; i++) {
    streams[i] = open_stream(&spawn->streams[i], i);
    if (streams[i] < 0) result = streams[i];
  }
  if (result == 0) result = sf__spawn_program(spawn, streams, directory);
  for (int i = 0; i < SF_STREAMS; i++) {
    struct sf_stream_request *stream = &spawn->streams[i];
    if (streams[i] >= 0) close(streams[i]);
    /* It may be made again. */
    if (result < 0 && stream->kind == SF_PROCESS_PIPE && stream->given >= 0) {
      close(stream->given);
      stream->given = -1;
    }
  }
  if (directory >= 0) close(directory);
  return result;
}
