/* names.h - names of files, as the system's own interface has them: one component, relative to an open
 * directory, in UTF-16. That interface knows no "..", no drives and no device names, and is told to follow
 * nothing. */
#ifndef SF_WIN_NAMES_H
#define SF_WIN_NAMES_H

#include "windows/posix.h"
/* After that. */
#include <winternl.h>

#define SF_WIN_NAME_UNITS 255

/* How NtCreateFile is asked. */
struct sf_win_how {
  ACCESS_MASK access;
  ULONG disposition;
  ULONG options; /* besides those that all have */
  ULONG attributes;
};

struct sf_win_name {
  UNICODE_STRING text;
  WCHAR units[SF_WIN_NAME_UNITS + 1];
};

/* "." is the directory itself. Returns 0, or -1 and sets errno: EILSEQ, ENAMETOOLONG, EINVAL for what no name
 * has in Windows. */
int sf__win_name(const char *name, struct sf_win_name *out);

/* Opens a name, or with NULL the directory, or file, itself again. Returns NULL and sets errno. */
HANDLE sf__win_create(int directory, const char *name, const struct sf_win_how *how);

/* FILE_ATTRIBUTE_TAG_INFO of an open file. Returns 0, or -1 and sets errno. */
int sf__win_tag(HANDLE handle, FILE_ATTRIBUTE_TAG_INFO *out);

/* Whether it is what POSIX calls a symbolic link. */
static inline bool sf__win_is_link(const FILE_ATTRIBUTE_TAG_INFO *tag) {
  return (tag->FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0 &&
         (tag->ReparseTag == IO_REPARSE_TAG_SYMLINK ||
          tag->ReparseTag == IO_REPARSE_TAG_MOUNT_POINT);
}

#endif
