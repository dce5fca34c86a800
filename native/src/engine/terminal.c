#define _GNU_SOURCE
#include "engine/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "engine/os-errno.h"
#include "stackful/abi.h"

struct raw_terminal {
  struct raw_terminal *next;
  uint64_t device;
  int fd; /* owned: while it is open, no other terminal is this device */
  uint32_t users;
  struct termios before;
};

/* Of the whole process. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct raw_terminal *terminals;
static bool at_exit;

/* /dev/tty is a device of its own, which stands for another. */
static uint64_t device_of(int fd) {
#ifdef TIOCGDEV
  unsigned device;
  if (ioctl(fd, TIOCGDEV, &device) == 0) return device;
#endif
  struct stat status;
  return fstat(fd, &status) < 0 ? 0 : (uint64_t)status.st_rdev;
}

/* The pointer that leads to the terminal, or to nothing. */
static struct raw_terminal **find(uint64_t device) {
  struct raw_terminal **at = &terminals;
  while (*at != NULL && (*at)->device != device) at = &(*at)->next;
  return at;
}

/* From the background it would stop the process. */
static void restore(const struct raw_terminal *terminal) {
  sigset_t signals;
  sigset_t before;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTTOU);
  pthread_sigmask(SIG_BLOCK, &signals, &before);
  while (tcsetattr(terminal->fd, TCSANOW, &terminal->before) < 0 && errno == EINTR) {
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void restore_all(void) {
  pthread_mutex_lock(&lock);
  for (const struct raw_terminal *at = terminals; at != NULL; at = at->next) restore(at);
  pthread_mutex_unlock(&lock);
}

/* Keys as they are pressed; what is written looks as before. */
static struct termios raw_mode(struct termios mode) {
  mode.c_iflag &= (tcflag_t) ~(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
  mode.c_oflag |= ONLCR;
  mode.c_cflag |= CS8;
  mode.c_lflag &= (tcflag_t) ~(ECHO | ICANON | IEXTEN | ISIG);
  mode.c_cc[VMIN] = 1;
  mode.c_cc[VTIME] = 0;
  return mode;
}

/* Returns 0 or an errno of the system. */
static int make_raw(struct raw_terminal *terminal, int fd) {
  if (tcgetattr(fd, &terminal->before) < 0) return errno;
  const struct termios mode = raw_mode(terminal->before);
  terminal->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (terminal->fd < 0) return errno;
  if (tcsetattr(fd, TCSANOW, &mode) == 0) return 0;
  const int err = errno;
  close(terminal->fd);
  return err;
}

static int32_t acquire(int fd) {
  const uint64_t device = device_of(fd);
  struct raw_terminal **at = find(device);
  if (*at != NULL) {
    (*at)->users++;
    return 0;
  }
  struct raw_terminal *terminal = malloc(sizeof(*terminal));
  if (terminal == NULL) return -SF_ENOMEM;
  *terminal = (struct raw_terminal){ .device = device, .users = 1 };
  const int err = make_raw(terminal, fd);
  if (err != 0) {
    free(terminal);
    return sf__error(err);
  }
  *at = terminal;
  if (!at_exit) at_exit = atexit(restore_all) == 0;
  return 0;
}

int32_t sf__terminal_acquire(int fd) {
  pthread_mutex_lock(&lock);
  const int32_t err = acquire(fd);
  pthread_mutex_unlock(&lock);
  return err;
}

void sf__terminal_release(int fd) {
  pthread_mutex_lock(&lock);
  struct raw_terminal **at = find(device_of(fd));
  struct raw_terminal *terminal = *at;
  if (terminal != NULL && --terminal->users == 0) {
    *at = terminal->next;
    restore(terminal);
    close(terminal->fd);
    free(terminal);
  }
  pthread_mutex_unlock(&lock);
}
