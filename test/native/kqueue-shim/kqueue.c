/* kqueue.c - kqueue over epoll, so that the kqueue backend runs on Linux. A descriptor has two filters
 * at most, which are one entry of the epoll.
 *
 * A kqueue drops the filters of a descriptor that is closed. Here the epoll does, and the table is
 * corrected when that shows: the number has no entry any more.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/event.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { READ, WRITE, FILTERS };

struct knote {
  bool active;
  unsigned short flags;
  void *udata;
};

struct queue {
  struct knote (*notes)[FILTERS]; /* by descriptor */
  int count;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct queue *queues; /* by descriptor of the kqueue */
static int queues_count;

static bool grow(void **items, int *count, int wanted, size_t bytes) {
  if (wanted < *count) return true;
  const int more = (wanted + 1) * 2;
  char *grown = realloc(*items, (size_t)more * bytes);
  if (grown == NULL) return false;
  memset(grown + (size_t)*count * bytes, 0, (size_t)(more - *count) * bytes);
  *items = grown;
  *count = more;
  return true;
}

int kqueue(void) {
  const int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) return -1;
  pthread_mutex_lock(&lock);
  const bool room = grow((void **)&queues, &queues_count, fd, sizeof(queues[0]));
  if (room) {
    /* Of another that had the number before. */
    free(queues[fd].notes);
    queues[fd] = (struct queue){ 0 };
  }
  pthread_mutex_unlock(&lock);
  if (room) return fd;
  close(fd);
  errno = ENOMEM;
  return -1;
}

/* The lock is held. Makes the epoll's entry what the notes say. */
static int update(int kq, int fd, bool fresh) {
  struct knote *notes = queues[kq].notes[fd];
  struct epoll_event event = { .data.fd = fd };
  for (int i = 0; i < FILTERS; i++) {
    if (!notes[i].active) continue;
    event.events |= i == READ ? EPOLLIN | EPOLLRDHUP : EPOLLOUT;
    if ((notes[i].flags & EV_CLEAR) != 0) event.events |= EPOLLET;
  }
  if (event.events == 0) {
    epoll_ctl(kq, EPOLL_CTL_DEL, fd, &event);
    return 0;
  }
  if (epoll_ctl(kq, fresh ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) == 0) return 0;
  if (errno == EEXIST) return epoll_ctl(kq, EPOLL_CTL_MOD, fd, &event);
  if (errno == ENOENT) return epoll_ctl(kq, EPOLL_CTL_ADD, fd, &event);
  return -1;
}

/* One that watches a process becomes what Linux has for that: readable once the process has ended. */
static int watch_process(int kq, pid_t pid) {
  const int fd = (int)syscall(SYS_pidfd_open, pid, 0);
  if (fd < 0) return -1;
  const int result = dup3(fd, kq, O_CLOEXEC);
  close(fd);
  return result < 0 ? -1 : 0;
}

/* The lock is held. */
static int apply(int kq, const struct kevent *change) {
  if (change->filter == EVFILT_PROC) return watch_process(kq, (pid_t)change->ident);
  struct queue *queue = &queues[kq];
  const int fd = (int)change->ident;
  const int filter = change->filter == EVFILT_READ ? READ : WRITE;
  if (!grow((void **)&queue->notes, &queue->count, fd, sizeof(queue->notes[0]))) {
    errno = ENOMEM;
    return -1;
  }
  struct knote *notes = queue->notes[fd];
  if ((change->flags & EV_DELETE) != 0) {
    notes[filter].active = false;
    return update(kq, fd, false);
  }
  struct epoll_event unused = { 0 };
  const bool any = notes[READ].active || notes[WRITE].active;
  if (any && epoll_ctl(kq, EPOLL_CTL_MOD, fd, &unused) < 0 && errno == ENOENT) {
    notes[READ].active = notes[WRITE].active = false; /* of one that was closed */
  }
  notes[filter] = (struct knote){ true, change->flags, change->udata };
  if (update(kq, fd, !any) == 0) return 0;
  notes[filter].active = false;
  return -1;
}

/* The lock is held. Adds what an event of the epoll says. Returns how many; what there is no room for is
 * told the next time. */
static int tell(int kq, const struct epoll_event *event, struct kevent *out, int room) {
  const int fd = event->data.fd;
  struct knote *notes = queues[kq].notes[fd];
  const bool ended = (event->events & (EPOLLERR | EPOLLHUP)) != 0;
  const bool ready[] = {
    [READ] = ended || (event->events & (EPOLLIN | EPOLLRDHUP)) != 0,
    [WRITE] = ended || (event->events & EPOLLOUT) != 0,
  };
  int count = 0;
  bool changed = false;
  for (int i = 0; i < FILTERS; i++) {
    if (!notes[i].active || !ready[i] || count == room) continue;
    EV_SET(&out[count], fd, i == READ ? EVFILT_READ : EVFILT_WRITE, notes[i].flags, 0, 0,
           notes[i].udata);
    if (ended || (i == READ && (event->events & EPOLLRDHUP) != 0)) out[count].flags |= EV_EOF;
    count++;
    if ((notes[i].flags & EV_ONESHOT) == 0) continue;
    notes[i].active = false;
    changed = true;
  }
  if (changed) update(kq, fd, false);
  return count;
}

int kevent(int kq, const struct kevent *changes, int changes_count, struct kevent *events,
           int events_count, const struct timespec *timeout) {
  pthread_mutex_lock(&lock);
  for (int i = 0; i < changes_count; i++) {
    if (apply(kq, &changes[i]) == 0) continue;
    const int err = errno;
    pthread_mutex_unlock(&lock);
    errno = err;
    return -1;
  }
  pthread_mutex_unlock(&lock);
  if (events_count == 0) return 0;

  /* Every entry of the epoll can be two events. */
  struct epoll_event ready[128];
  const int room = events_count / 2 < 1 ? 1 : events_count / 2 < 128 ? events_count / 2 : 128;
  int wait_ms = -1;
  if (timeout != NULL) wait_ms = (int)(timeout->tv_sec * 1000 + (timeout->tv_nsec + 999999) / 1000000);
  const int count = epoll_wait(kq, ready, room, wait_ms);
  if (count < 0) return -1;
  int told = 0;
  pthread_mutex_lock(&lock);
  for (int i = 0; i < count; i++) {
    told += tell(kq, &ready[i], events + told, events_count - told);
  }
  pthread_mutex_unlock(&lock);
  return told;
}
