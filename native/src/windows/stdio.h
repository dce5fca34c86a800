/* stdio.h - transfers of the host's own streams, which wait. Return the bytes, or -1 and set errno. */
#ifndef SF_WIN_STDIO_H
#define SF_WIN_STDIO_H

#include "windows/posix.h"

ssize_t sf__win_stream_read(int fd, void *data, size_t bytes);
ssize_t sf__win_stream_write(int fd, const void *data, size_t bytes);

#endif
