/* command-line.h - a child's arguments and its environment, in UTF-16. What is returned is to be freed; NULL: errno
 * is set, to EILSEQ for text that is no UTF-8. */
#ifndef SF_COMMAND_LINE_H
#define SF_COMMAND_LINE_H

#include "windows/posix.h"

WCHAR *sf__win_wide(const char *text);

/* As the C library of Windows takes it apart again. Sets errno to E2BIG when it is too long. */
WCHAR *sf__win_command_line(char *const *arguments);

/* Sorted by name, as it has to be, and with the place of the system in it. */
WCHAR *sf__win_environment(char *const *environment);

#endif
