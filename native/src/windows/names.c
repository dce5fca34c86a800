#include "windows/names.h"

#include <string.h>

#include "windows/descriptors.h"
#include "windows/status.h"

/* What separates names, names streams, or stands for others. */
static bool is_forbidden(WCHAR unit) {
  return unit < 32 || wcschr(L"\\/:*?\"<>|", unit) != NULL;
}

int sf__win_name(const char *name, struct sf_win_name *out) {
  int count = 0;
  if (name != NULL && strcmp(name, ".") != 0) {
    count = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, name, -1, out->units,
                                SF_WIN_NAME_UNITS + 1);
    if (count == 0) {
      const DWORD error = GetLastError();
      errno = error == ERROR_INSUFFICIENT_BUFFER ? ENAMETOOLONG : EILSEQ;
      return -1;
    }
    count--;
  }
  for (int i = 0; i < count; i++) {
    if (!is_forbidden(out->units[i])) continue;
    errno = EINVAL;
    return -1;
  }
  out->text = (UNICODE_STRING){
    .Length = (USHORT)(count * sizeof(WCHAR)),
    .MaximumLength = sizeof(out->units),
    .Buffer = out->units,
  };
  return 0;
}

HANDLE sf__win_create(int directory, const char *name, const struct sf_win_how *how) {
  struct sf_win_name wide;
  OBJECT_ATTRIBUTES attributes;
  IO_STATUS_BLOCK status;
  HANDLE handle;
  if (sf__win_name(name, &wide) < 0) return NULL;
  InitializeObjectAttributes(&attributes, &wide.text, OBJ_CASE_INSENSITIVE,
                             sf__win_handle(directory), NULL);
  const NTSTATUS result =
    NtCreateFile(&handle, how->access, &attributes, &status, NULL, how->attributes,
                 FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, how->disposition,
                 how->options | FILE_OPEN_REPARSE_POINT | FILE_OPEN_FOR_BACKUP_INTENT, NULL, 0);
  if (result >= 0) return handle;
  sf__win_fail_status(result);
  return NULL;
}

int sf__win_tag(HANDLE handle, FILE_ATTRIBUTE_TAG_INFO *out) {
  if (GetFileInformationByHandleEx(handle, FileAttributeTagInfo, out, sizeof(*out))) return 0;
  return sf__win_fail(GetLastError());
}
