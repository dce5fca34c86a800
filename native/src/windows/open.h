/* open.h - what is opened once more. */
#ifndef SF_WIN_OPEN_H
#define SF_WIN_OPEN_H

#include "windows/posix.h"

/* The file, for the same use, by calls that wait, at the position that the descriptor has. Returns NULL and sets
 * errno. */
HANDLE sf__win_open_again(int fd);

/* A duplicate of stream `number` of the process, 0 to 2. Returns the descriptor, or -1 and sets errno. */
int sf__win_stream(int number);

#endif
