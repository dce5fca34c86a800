/* symlink.c - symbolic links are made. By the open directory, so that no path of the host's is gone again. */
#include <stddef.h>

#include "windows/descriptors.h"
#include "windows/names.h"
/* After those. */
#include <winioctl.h>

#include "windows/status.h"

#define TARGET_UNITS 4096
#define IS_RELATIVE 1

/* REPARSE_DATA_BUFFER of a symbolic link, whose target stands in it twice: to be followed, and to be shown. */
struct link {
  ULONG tag;
  USHORT bytes; /* behind `reserved` */
  USHORT reserved;
  USHORT target_at;
  USHORT target_bytes;
  USHORT shown_at;
  USHORT shown_bytes;
  ULONG flags;
  WCHAR text[TARGET_UNITS];
};

/* Bytes of the target; or -1, with errno. */
static int fill(struct link *link, const char *target) {
  const int units =
    MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, target, -1, link->text, TARGET_UNITS);
  if (units == 0) {
    errno = GetLastError() == ERROR_INSUFFICIENT_BUFFER ? ENAMETOOLONG : EILSEQ;
    return -1;
  }
  for (int i = 0; i < units; i++) {
    if (link->text[i] == L'/') link->text[i] = L'\\';
  }
  const USHORT bytes = (USHORT)((units - 1) * (int)sizeof(WCHAR));
  link->tag = IO_REPARSE_TAG_SYMLINK;
  link->bytes = (USHORT)(offsetof(struct link, text) - offsetof(struct link, target_at) + bytes);
  link->target_bytes = link->shown_bytes = bytes;
  link->flags = target[0] == '/' ? 0 : IS_RELATIVE;
  return bytes;
}

/* Links to directories are directories themselves. What is not there yet is thought to be a file. */
static bool leads_to_directory(int directory, const struct link *link) {
  OBJECT_ATTRIBUTES attributes;
  IO_STATUS_BLOCK status;
  HANDLE handle;
  UNICODE_STRING text = {
    .Length = link->target_bytes,
    .MaximumLength = link->target_bytes,
    .Buffer = (WCHAR *)(uintptr_t)link->text,
  };
  if ((link->flags & IS_RELATIVE) == 0) return false;
  InitializeObjectAttributes(&attributes, &text, OBJ_CASE_INSENSITIVE, sf__win_handle(directory), NULL);
  const NTSTATUS found =
    NtCreateFile(&handle, FILE_READ_ATTRIBUTES | SYNCHRONIZE, &attributes, &status, NULL, 0,
                 FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_OPEN,
                 FILE_DIRECTORY_FILE | FILE_OPEN_REPARSE_POINT | FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
  if (found >= 0) CloseHandle(handle);
  return found >= 0;
}

int symlinkat(const char *target, int directory, const char *name) {
  struct link link = { 0 };
  DWORD moved;
  if (fill(&link, target) < 0) return -1;
  const struct sf_win_how how = {
    .access = FILE_WRITE_ATTRIBUTES | DELETE | SYNCHRONIZE,
    .disposition = FILE_CREATE,
    .options = FILE_SYNCHRONOUS_IO_NONALERT |
               (leads_to_directory(directory, &link) ? FILE_DIRECTORY_FILE : FILE_NON_DIRECTORY_FILE),
    .attributes = FILE_ATTRIBUTE_NORMAL,
  };
  const HANDLE handle = sf__win_create(directory, name, &how);
  if (handle == NULL) return -1;
  const DWORD bytes = (DWORD)offsetof(struct link, target_at) + link.bytes;
  if (DeviceIoControl(handle, FSCTL_SET_REPARSE_POINT, &link, bytes, NULL, 0, &moved, NULL)) {
    CloseHandle(handle);
    return 0;
  }
  /* Without the right to make links there is nothing. */
  const DWORD error = GetLastError();
  FILE_DISPOSITION_INFO gone = { .DeleteFile = TRUE };
  SetFileInformationByHandle(handle, FileDispositionInfo, &gone, sizeof(gone));
  CloseHandle(handle);
  return sf__win_fail(error);
}
