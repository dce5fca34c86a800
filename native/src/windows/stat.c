/* stat.c - what the system says of a file, and its times. */
#include <string.h>

#include "windows/descriptors.h"
#include "windows/names.h"
#include "windows/status.h"

/* From the first day of 1601 to that of 1970, in units of 100 ns. */
#define EPOCH 116444736000000000

static struct timespec time_of(LARGE_INTEGER ticks) {
  int64_t since = ticks.QuadPart - EPOCH;
  int64_t seconds = since / 10000000;
  int64_t rest = since % 10000000;
  if (rest < 0) {
    seconds--;
    rest += 10000000;
  }
  return (struct timespec){ .tv_sec = (time_t)seconds, .tv_nsec = (long)(rest * 100) };
}

static uint32_t mode_of(const FILE_ATTRIBUTE_TAG_INFO *tag) {
  if (sf__win_is_link(tag)) return S_IFLNK | 0777;
  if ((tag->FileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0) return S_IFDIR | 0777;
  return S_IFREG | ((tag->FileAttributes & FILE_ATTRIBUTE_READONLY) != 0 ? 0444 : 0666);
}

static int look(HANDLE handle, struct stat *out) {
  BY_HANDLE_FILE_INFORMATION file;
  FILE_BASIC_INFO basic;
  FILE_STANDARD_INFO standard;
  FILE_ATTRIBUTE_TAG_INFO tag;
  if (!GetFileInformationByHandle(handle, &file) ||
      !GetFileInformationByHandleEx(handle, FileBasicInfo, &basic, sizeof(basic)) ||
      !GetFileInformationByHandleEx(handle, FileStandardInfo, &standard, sizeof(standard))) {
    return sf__win_fail(GetLastError());
  }
  if (sf__win_tag(handle, &tag) < 0) return -1;
  *out = (struct stat){
    .st_dev = file.dwVolumeSerialNumber,
    .st_ino = (uint64_t)file.nFileIndexHigh << 32 | file.nFileIndexLow,
    .st_mode = mode_of(&tag),
    .st_nlink = file.nNumberOfLinks,
    .st_size = S_ISDIR(mode_of(&tag)) ? 0 : standard.EndOfFile.QuadPart,
    .st_blocks = (standard.AllocationSize.QuadPart + 511) / 512,
    .st_blksize = 4096,
    .st_atim = time_of(basic.LastAccessTime),
    .st_mtim = time_of(basic.LastWriteTime),
    .st_ctim = time_of(basic.ChangeTime),
    .st_birthtim = time_of(basic.CreationTime),
  };
  return 0;
}

int fstat(int fd, struct stat *out) {
  const struct sf_win_open *open = sf__win_open_of(fd);
  if (open == NULL) {
    errno = EBADF;
    return -1;
  }
  if (open->kind == SF_WIN_FILE || open->kind == SF_WIN_DIRECTORY) {
    return look(sf__win_handle(fd), out);
  }
  if (open->kind == SF_WIN_STREAM && GetFileType(sf__win_handle(fd)) == FILE_TYPE_DISK) {
    return look(sf__win_handle(fd), out);
  }
  memset(out, 0, sizeof(*out));
  out->st_mode = open->kind == SF_WIN_SOCKET ? S_IFSOCK : S_IFIFO;
  return 0;
}

int fstatat(int directory, const char *name, struct stat *out, int flags) {
  const struct sf_win_how how = {
    .access = FILE_READ_ATTRIBUTES | SYNCHRONIZE,
    .disposition = FILE_OPEN,
    .options = FILE_SYNCHRONOUS_IO_NONALERT,
  };
  (void)flags;
  const HANDLE handle = sf__win_create(directory, name, &how);
  if (handle == NULL) return -1;
  const int result = look(handle, out);
  const int err = errno;
  CloseHandle(handle);
  errno = err;
  return result;
}

static LARGE_INTEGER ticks_of(struct timespec time) {
  LARGE_INTEGER out = { .QuadPart = 0 }; /* as it is */
  FILETIME now;
  if (time.tv_nsec == UTIME_OMIT) return out;
  if (time.tv_nsec == UTIME_NOW) {
    GetSystemTimePreciseAsFileTime(&now);
    out.QuadPart = (int64_t)now.dwHighDateTime << 32 | now.dwLowDateTime;
    return out;
  }
  out.QuadPart = (int64_t)time.tv_sec * 10000000 + time.tv_nsec / 100 + EPOCH;
  return out;
}

int utimensat(int directory, const char *name, const struct timespec times[2], int flags) {
  const struct sf_win_how how = {
    .access = FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES | SYNCHRONIZE,
    .disposition = FILE_OPEN,
    .options = FILE_SYNCHRONOUS_IO_NONALERT,
  };
  FILE_BASIC_INFO basic = {
    .LastAccessTime = ticks_of(times[0]),
    .LastWriteTime = ticks_of(times[1]),
  };
  (void)flags;
  const HANDLE handle = sf__win_create(directory, name, &how);
  if (handle == NULL) return -1;
  const bool done = SetFileInformationByHandle(handle, FileBasicInfo, &basic, sizeof(basic));
  const DWORD error = done ? 0 : GetLastError();
  CloseHandle(handle);
  return done ? 0 : sf__win_fail(error);
}

/* What is open may have been opened for reading alone: it is opened again. */
int futimens(int fd, const struct timespec times[2]) {
  return utimensat(fd, NULL, times, 0);
}

int sf__win_chmodat(int directory, const char *name, uint32_t mode) {
  const struct sf_win_how how = {
    .access = FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES | SYNCHRONIZE,
    .disposition = FILE_OPEN,
    .options = FILE_SYNCHRONOUS_IO_NONALERT,
  };
  FILE_BASIC_INFO basic;
  const HANDLE handle = sf__win_create(directory, name, &how);
  if (handle == NULL) return -1;
  bool done = GetFileInformationByHandleEx(handle, FileBasicInfo, &basic, sizeof(basic));
  if (done) {
    const DWORD others = basic.FileAttributes & ~(DWORD)FILE_ATTRIBUTE_READONLY;
    const DWORD wanted = (mode & 0222) == 0 ? others | FILE_ATTRIBUTE_READONLY : others;
    basic = (FILE_BASIC_INFO){ .FileAttributes = wanted == 0 ? FILE_ATTRIBUTE_NORMAL : wanted };
    done = SetFileInformationByHandle(handle, FileBasicInfo, &basic, sizeof(basic));
  }
  const DWORD error = done ? 0 : GetLastError();
  CloseHandle(handle);
  return done ? 0 : sf__win_fail(error);
}
