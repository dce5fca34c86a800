/* spawn-windows.c - SPAWN: a child, which inherits three handles and nothing else. On a thread of the pool. */
#include "calls/spawn.h"

#include <stdlib.h>
#include <string.h>

#include "calls/beneath.h"
#include "engine/os-errno.h"
#include "engine/platform.h"
#include "windows/command-line.h"
#include "windows/descriptors.h"
#include "windows/open.h"
#include "windows/status.h"

#define PATH_UNITS 32768

/* What CreateProcess is given; all of it owned. */
struct start {
  HANDLE streams[SF_STREAMS]; /* inheritable; NULL: none yet */
  WCHAR *directory; /* NULL: where the host is */
  WCHAR *command_line;
  WCHAR *environment;
};

/* Returns NULL and sets errno. */
static HANDLE inheritable(HANDLE handle) {
  const HANDLE process = GetCurrentProcess();
  HANDLE out;
  if (DuplicateHandle(process, handle, process, &out, 0, TRUE, DUPLICATE_SAME_ACCESS)) return out;
  sf__win_fail(GetLastError());
  return NULL;
}

static HANDLE open_nothing(int number) {
  SECURITY_ATTRIBUTES inherits = { .nLength = sizeof(inherits), .bInheritHandle = TRUE };
  const HANDLE handle =
    CreateFileW(L"NUL", number == 0 ? GENERIC_READ : GENERIC_WRITE | FILE_READ_ATTRIBUTES,
                FILE_SHARE_READ | FILE_SHARE_WRITE, &inherits, OPEN_EXISTING, 0, NULL);
  if (handle != INVALID_HANDLE_VALUE) return handle;
  sf__win_fail(GetLastError());
  return NULL;
}

/* The guest's end goes into `stream`. */
static HANDLE open_pipe(struct sf_stream_request *stream, int number) {
  int ends[2];
  const int theirs = number == 0 ? 0 : 1;
  if (sf__win_pipe(ends, theirs) < 0) return NULL;
  const HANDLE handle = inheritable(sf__win_handle(ends[theirs]));
  const int err = errno;
  close(ends[theirs]);
  if (handle == NULL) {
    close(ends[1 - theirs]);
    errno = err;
  } else {
    stream->given = ends[1 - theirs];
  }
  return handle;
}

/* A file of ours has no position that the system knows. So a child gets one that it opened itself: the same one,
 * when it gets a file more than once. */
static HANDLE open_given(const struct sf_spawn *spawn, const struct start *start, int number) {
  const int fd = spawn->streams[number].given;
  const struct sf_win_open *open = sf__win_open_of(fd);
  if (open->kind != SF_WIN_FILE) return inheritable(sf__win_handle(fd));
  for (int i = 0; i < number; i++) {
    const int other = spawn->streams[i].given;
    if (spawn->streams[i].kind == SF_PROCESS_HANDLE && sf__win_open_of(other) == open) {
      return inheritable(start->streams[i]);
    }
  }
  const HANDLE handle = sf__win_open_again(fd);
  if (handle == NULL) return NULL;
  const HANDLE theirs = inheritable(handle);
  CloseHandle(handle);
  return theirs;
}

static HANDLE open_stream(struct sf_spawn *spawn, const struct start *start, int number) {
  switch (spawn->streams[number].kind) {
    case SF_PROCESS_HANDLE:
    case SF_PROCESS_INHERIT:
      return open_given(spawn, start, number);
    case SF_PROCESS_PIPE:
      return open_pipe(&spawn->streams[number], number);
    default:
      return open_nothing(number);
  }
}

/* The name of a directory that the guest was found to mean. */
static int32_t find_directory(const struct sf_path *path, WCHAR **out) {
  const int fd = sf__open_beneath(path->directory, path->rest, SF_WALK_FLAGS, 0);
  if (fd < 0) return errno == EXDEV ? -SF_ENOTCAPABLE : sf__error(errno);
  WCHAR *name = malloc(PATH_UNITS * sizeof(*name));
  int32_t err = name == NULL ? -SF_ENOMEM : 0;
  if (err == 0) {
    const DWORD units = GetFinalPathNameByHandleW(sf__win_handle(fd), name, PATH_UNITS, 0);
    if (units == 0 || units >= PATH_UNITS) err = -SF_ENOENT;
  }
  close(fd);
  if (err < 0) {
    free(name);
    return err;
  }
  /* Programs do not take it with its prefix. */
  if (wcsncmp(name, L"\\\\?\\UNC\\", 8) == 0) {
    memmove(name + 1, name + 7, (wcslen(name + 7) + 1) * sizeof(*name));
  } else if (wcsncmp(name, L"\\\\?\\", 4) == 0) {
    memmove(name, name + 4, (wcslen(name + 4) + 1) * sizeof(*name));
  }
  *out = name;
  return 0;
}

static bool ends_with(const WCHAR *text, const WCHAR *end) {
  const size_t units = wcslen(text);
  const size_t wanted = wcslen(end);
  return units >= wanted && _wcsicmp(text + units - wanted, end) == 0;
}

/* Returns the process, or NULL and an errno. */
static HANDLE create(const WCHAR *program, const struct start *start,
                     LPPROC_THREAD_ATTRIBUTE_LIST attributes, int *err) {
  STARTUPINFOEXW info = {
    .StartupInfo = {
      .cb = sizeof(info),
      .dwFlags = STARTF_USESTDHANDLES,
      .hStdInput = start->streams[0],
      .hStdOutput = start->streams[1],
      .hStdError = start->streams[2],
    },
    .lpAttributeList = attributes,
  };
  PROCESS_INFORMATION made;
  /* Their interpreter takes its arguments apart in its own way, which no quotation marks stop. */
  if (ends_with(program, L".bat") || ends_with(program, L".cmd")) {
    *err = ENOEXEC;
    return NULL;
  }
  if (!CreateProcessW(program, start->command_line, NULL, NULL, TRUE,
                      CREATE_UNICODE_ENVIRONMENT | EXTENDED_STARTUPINFO_PRESENT,
                      start->environment, start->directory, &info.StartupInfo, &made)) {
    *err = sf__win_errno(GetLastError());
    return NULL;
  }
  CloseHandle(made.hThread);
  return made.hProcess;
}

/* A program by its name, or by that without its ending. */
static HANDLE create_named(const char *name, const struct start *start,
                           LPPROC_THREAD_ATTRIBUTE_LIST attributes, int *err) {
  WCHAR *wide = sf__win_wide(name);
  HANDLE process = NULL;
  *err = errno;
  if (wide == NULL) return NULL;
  process = create(wide, start, attributes, err);
  if (process == NULL && *err == ENOENT && !ends_with(wide, L".exe")) {
    WCHAR *longer = realloc(wide, (wcslen(wide) + 5) * sizeof(*wide));
    if (longer != NULL) {
      wide = longer;
      wcscat(wide, L".exe");
      process = create(wide, start, attributes, err);
    }
  }
  free(wide);
  return process;
}

/* The first of the programs that can be run. */
static HANDLE create_any(const struct sf_spawn *spawn, const struct start *start,
                         LPPROC_THREAD_ATTRIBUTE_LIST attributes, int *reason) {
  int err;
  *reason = ENOENT;
  for (const char *at = NULL; (at = sf__strings_next(&spawn->programs, at)) != NULL;) {
    const HANDLE process = create_named(at, start, attributes, &err);
    if (process != NULL) return process;
    if (err != ENOENT) *reason = err;
    if (err != ENOENT && err != EACCES) break;
  }
  return NULL;
}

static int32_t run(const struct sf_spawn *spawn, struct start *start) {
  SIZE_T bytes = 0;
  int err = ENOMEM;
  HANDLE process = NULL;
  InitializeProcThreadAttributeList(NULL, 1, 0, &bytes);
  LPPROC_THREAD_ATTRIBUTE_LIST attributes = malloc(bytes);
  if (attributes == NULL) return -SF_ENOMEM;
  if (InitializeProcThreadAttributeList(attributes, 1, 0, &bytes)) {
    if (UpdateProcThreadAttribute(attributes, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, start->streams,
                                  sizeof(start->streams), NULL, NULL)) {
      process = create_any(spawn, start, attributes, &err);
    }
    DeleteProcThreadAttributeList(attributes);
  }
  free(attributes);
  if (process == NULL) return sf__error(err);
  const int fd = sf__os_exit_descriptor((pid_t)(intptr_t)process);
  if (fd < 0) {
    err = errno;
    TerminateProcess(process, 1);
    CloseHandle(process);
    return sf__error(err);
  }
  spawn->process->pid = (pid_t)(intptr_t)process;
  return fd;
}

int32_t sf__call_spawn(const struct sf_call *call) {
  struct sf_spawn *spawn = call->kept;
  struct start start = { 0 };
  int32_t result = 0;
  if (spawn->directory != NULL) result = find_directory(spawn->directory, &start.directory);
  if (result == 0) {
    start.command_line = sf__win_command_line(spawn->arguments);
    if (start.command_line != NULL) start.environment = sf__win_environment(spawn->environment);
    if (start.environment == NULL) result = sf__error(errno);
  }
  for (int i = 0; i < SF_STREAMS && result == 0; i++) {
    start.streams[i] = open_stream(spawn, &start, i);
    if (start.streams[i] == NULL) result = sf__error(errno);
  }
  if (result == 0) result = run(spawn, &start);
  for (int i = 0; i < SF_STREAMS; i++) {
    struct sf_stream_request *stream = &spawn->streams[i];
    if (start.streams[i] != NULL) CloseHandle(start.streams[i]);
    if (result < 0 && stream->kind == SF_PROCESS_PIPE && stream->given >= 0) {
      close(stream->given);
      stream->given = -1;
    }
  }
  free(start.directory);
  free(start.command_line);
  free(start.environment);
  return result;
}

/* Not of sockets: those that do not block are read by no program that knows them as its streams. */
int32_t sf__child_descriptor(int fd, bool may, bool *shared) {
  const struct sf_win_open *open = sf__win_open_of(fd);
  (void)may;
  (void)shared;
  if (open->kind == SF_WIN_SOCKET) return -SF_ENOTSUP;
  if (open->kind == SF_WIN_PIPE) sf__win_shared = true;
  const int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  return own < 0 ? sf__error(errno) : own;
}

int32_t sf__inherited_descriptor(int fd) {
  const int own = sf__win_stream(fd);
  return own < 0 ? sf__error(errno) : own;
}
