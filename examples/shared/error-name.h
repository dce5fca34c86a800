/* error-name.h - errnos as people read them. */
#ifndef EXAMPLES_ERROR_NAME_H
#define EXAMPLES_ERROR_NAME_H

#include <stackful/abi.h>
#include <stdio.h>

/* The name of a negative result: "ECONNREFUSED" for -SF_ECONNREFUSED. */
static inline const char *error_name(int32_t result) {
  switch (-result) {
#define X(name, code, text) \
  case SF_##name: \
    return #name;
    SF_ERRNO_MAP(X)
#undef X
  }
  return "unknown error";
}

/* What it means: "connection refused". */
static inline const char *error_text(int32_t result) {
  switch (-result) {
#define X(name, code, text) \
  case SF_##name: \
    return text;
    SF_ERRNO_MAP(X)
#undef X
  }
  return "no such error number";
}

/* Tells on stderr what failed and how. Returns main's: 1. */
static inline int fail(const char *program, const char *what, int32_t result) {
  fprintf(stderr, "%s: %s: %s (%s)\n", program, what, error_text(result), error_name(result));
  return 1;
}

#endif
