/* status.h - what the system says went wrong, as an errno. */
#ifndef SF_STATUS_H
#define SF_STATUS_H

#include <stdint.h>

/* Of GetLastError and WSAGetLastError, which share their numbers. */
int sf__win_errno(uint32_t error);

/* Of an NTSTATUS. */
int sf__win_status_errno(int32_t status);

/* Sets errno, and returns -1. */
int sf__win_fail(uint32_t error);
int sf__win_fail_status(int32_t status);

#endif
