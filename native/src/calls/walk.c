/* walk.c - opens a path that must not leave a directory, component by component: for systems that cannot
 * keep it in.
 *
 * The walk never asks the system for ".." and never follows a link, so that nothing that is renamed or
 * replaced meanwhile can lead it out: it reads links itself, and goes up by walking down once more from
 * the top, along the names that it came by.
 */
#define _GNU_SOURCE
#include "calls/beneath.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine/platform.h"
#include "stackful/abi.h"

#define LINKS_MAX 40

/* Directories opened for one path: each ".." walks down again. */
#define STEPS_MAX 4096

struct walk {
  int top;     /* the caller's */
  int current; /* the directory that was walked to; `top` itself, or owned */
  uint32_t links;
  uint32_t steps;
  char names[SF_PATH_MAX + 1]; /* from `top` to `current`: each begins with a slash */
  char rest[SF_PATH_MAX + 1];  /* what is left to walk */
};

static int fail(int err) {
  errno = err;
  return -1;
}

static void set_current(struct walk *walk, int fd) {
  if (walk->current != walk->top) close(walk->current);
  walk->current = fd;
}

/* Goes into a directory. Fails with ENOTDIR or ELOOP for a link. */
static int step(struct walk *walk, const char *name) {
  if (++walk->steps > STEPS_MAX) return fail(ELOOP);
  const int fd = openat(walk->current, name, SF_WALK_FLAGS | O_NOFOLLOW);
  if (fd < 0) return -1;
  set_current(walk, fd);
  return 0;
}

static int down(struct walk *walk, const char *name) {
  const size_t before = strlen(walk->names);
  const size_t bytes = strlen(name);
  if (before + 1 + bytes > SF_PATH_MAX) return fail(ENAMETOOLONG);
  if (step(walk, name) < 0) return -1;
  walk->names[before] = '/';
  memcpy(walk->names + before + 1, name, bytes + 1);
  return 0;
}

static int up(struct walk *walk) {
  char *last = strrchr(walk->names, '/');
  if (last == NULL) return fail(EXDEV);
  *last = '\0';
  set_current(walk, walk->top);
  char *at = walk->names;
  while (*at != '\0') {
    char *end = at + 1 + strcspn(at + 1, "/");
    const char after = *end;
    *end = '\0';
    const int err = step(walk, at + 1);
    *end = after;
    if (err < 0) return -1;
    at = end;
  }
  return 0;
}

/* Puts what a link says before the rest. Returns 1 when `name` is one, 0 when it is none, -1 and sets
 * errno. */
static int follow(struct walk *walk, const char *name) {
  char target[SF_PATH_MAX + 1];
  const ssize_t bytes = readlinkat(walk->current, name, target, sizeof(target));
  if (bytes < 0) return errno == EINVAL ? 0 : -1;
  if (bytes > SF_PATH_MAX) return fail(ENAMETOOLONG);
  if (++walk->links > LINKS_MAX) return fail(ELOOP);
  if (bytes == 0) return fail(ENOENT);
  if (target[0] == '/') return fail(EXDEV);
  const size_t rest = strlen(walk->rest);
  if ((size_t)bytes + rest > SF_PATH_MAX) return fail(ENAMETOOLONG);
  memmove(walk->rest + bytes, walk->rest, rest + 1);
  memcpy(walk->rest, target, (size_t)bytes);
  return 1;
}

/* Takes the next component off the rest, which then is empty or begins with a slash. */
static void take_name(struct walk *walk, char *name) {
  const size_t slashes = strspn(walk->rest, "/");
  const size_t bytes = strcspn(walk->rest + slashes, "/");
  memcpy(name, walk->rest + slashes, bytes);
  name[bytes] = '\0';
  memmove(walk->rest, walk->rest + slashes + bytes, strlen(walk->rest + slashes + bytes) + 1);
}

/* Opens the last component. Returns the descriptor, -1 and sets errno, or -2: it was a link, and there
 * is more to walk. */
static int open_last(struct walk *walk, const char *name, int flags, uint32_t mode) {
  const bool slash = walk->rest[0] == '/';
  const int directory = slash && (flags & O_CREAT) == 0 ? O_DIRECTORY : 0;
  if (slash && (flags & O_CREAT) != 0) return fail(EISDIR);
#ifdef O_PATH
  /* It would open the link itself. */
  if ((flags & O_PATH) != 0 && ((flags & O_NOFOLLOW) == 0 || slash)) {
    const int link = follow(walk, name);
    if (link != 0) return link < 0 ? -1 : -2;
  }
#endif
  const int fd = openat(walk->current, name, flags | directory | O_NOFOLLOW | O_CLOEXEC, mode);
  if (fd >= 0) return fd;
  const int err = errno;
  /* With O_EXCL a link is something that exists. */
  if (((flags & O_NOFOLLOW) != 0 && !slash) || err == ENOENT || err == EEXIST) return fail(err);
  const int link = follow(walk, name);
  if (link == 0) return fail(err);
  return link < 0 ? -1 : -2;
}

/* Walks to the directory of the last name; "." where that is the path's end. Returns 0, or -1 and sets
 * errno. */
static int to_last(struct walk *walk, char *name) {
  for (;;) {
    take_name(walk, name);
    const bool last = walk->rest[strspn(walk->rest, "/")] == '\0';
    const bool stays = name[0] == '\0' || strcmp(name, ".") == 0;
    if (strcmp(name, "..") == 0) {
      if (up(walk) < 0) return -1;
    } else if (!stays) {
      if (last) return 0;
      if (down(walk, name) == 0) continue;
      const int err = errno;
      const int link = err == ENOENT ? 0 : follow(walk, name);
      if (link == 0) return fail(err);
      if (link < 0) return -1;
      continue;
    }
    if (!last) continue;
    strcpy(name, ".");
    return 0;
  }
}

static int run(struct walk *walk, int flags, uint32_t mode) {
  char name[SF_PATH_MAX + 1];
  for (;;) {
    if (to_last(walk, name) < 0) return -1;
    if (strcmp(name, ".") == 0) return openat(walk->current, ".", flags | O_CLOEXEC, mode);
    const int fd = open_last(walk, name, flags, mode);
    if (fd != -2) return fd;
  }
}

static int begin(struct walk *walk, int directory, const char *path) {
  const size_t bytes = strlen(path);
  walk->top = walk->current = directory;
  walk->links = walk->steps = 0;
  walk->names[0] = '\0';
  if (bytes == 0) return fail(ENOENT);
  if (path[0] == '/') return fail(EXDEV);
  if (bytes > SF_PATH_MAX) return fail(ENAMETOOLONG);
  memcpy(walk->rest, path, bytes + 1);
  return 0;
}

static void end(struct walk *walk) {
  const int err = errno;
  set_current(walk, walk->top);
  errno = err;
}

int sf__open_by_walking(int directory, const char *path, int flags, uint32_t mode) {
  struct walk walk;
  if (begin(&walk, directory, path) < 0) return -1;
  const int fd = run(&walk, flags, mode);
  end(&walk);
  return fd;
}

int sf__walk_to_last(int directory, const char *path, bool follow_last, struct sf_last *out) {
  struct walk walk;
  if (begin(&walk, directory, path) < 0) return -1;
  int result;
  for (;;) {
    result = to_last(&walk, out->name);
    out->slash = walk.rest[0] == '/';
    if (result < 0 || strcmp(out->name, ".") == 0 || (!follow_last && !out->slash)) break;
    const int link = follow(&walk, out->name);
    if (link < 0 && errno != ENOENT) result = -1;
    if (link != 1) break;
  }
  if (result == 0) result = out->directory = fcntl(walk.current, F_DUPFD_CLOEXEC, 0);
  end(&walk);
  return result < 0 ? -1 : 0;
}
