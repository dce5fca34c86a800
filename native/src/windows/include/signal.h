/* None of the system's own: nothing uses it here. */
#include "windows/posix.h"
