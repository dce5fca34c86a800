/* arguments.h - "--name value" and "--name=value" command lines. */
#ifndef EXAMPLES_ARGUMENTS_H
#define EXAMPLES_ARGUMENTS_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* One option. Exactly one of `text` and `number` is set, and holds the default beforehand. */
struct argument {
  const char *name; /* with its dashes */
  const char **text;
  uint64_t *number;
  uint64_t number_min;
  uint64_t number_max;
};

/* Decimal digits and nothing else: strtoull would take "-1", " 7" and "0x10". */
static inline bool parse_number(const char *text, uint64_t *number_out) {
  uint64_t number = 0;
  if (*text == '\0') return false;
  for (; *text != '\0'; text++) {
    if (*text < '0' || *text > '9') return false;
    uint64_t digit = (uint64_t)(*text - '0');
    if (number > (UINT64_MAX - digit) / 10) return false;
    number = number * 10 + digit;
  }
  *number_out = number;
  return true;
}

static inline bool set_argument(const struct argument *argument, const char *value) {
  if (argument->text != NULL) {
    *argument->text = value;
    return true;
  }
  uint64_t number;
  if (parse_number(value, &number) && number >= argument->number_min &&
      number <= argument->number_max) {
    *argument->number = number;
    return true;
  }
  fprintf(stderr, "%s must be %" PRIu64 " to %" PRIu64 ", not \"%s\"\n", argument->name,
          argument->number_min, argument->number_max, value);
  return false;
}

/* Reads argv into what `arguments` point to. False when it does not fit; stderr then says why. */
static inline bool parse_arguments(int argc, char **argv, const struct argument *arguments,
                                   size_t arguments_count) {
  for (int at = 1; at < argc; at++) {
    const char *equals = strchr(argv[at], '=');
    size_t name_bytes = equals == NULL ? strlen(argv[at]) : (size_t)(equals - argv[at]);
    const struct argument *found = NULL;
    for (size_t i = 0; i < arguments_count && found == NULL; i++) {
      const char *name = arguments[i].name;
      if (strlen(name) == name_bytes && memcmp(name, argv[at], name_bytes) == 0) {
        found = &arguments[i];
      }
    }
    if (found == NULL) {
      fprintf(stderr, "unknown argument \"%s\"; there are", argv[at]);
      for (size_t i = 0; i < arguments_count; i++) fprintf(stderr, " %s", arguments[i].name);
      fprintf(stderr, "\n");
      return false;
    }
    const char *value = equals == NULL ? argv[++at] : equals + 1;
    if (value == NULL) {
      fprintf(stderr, "%s needs a value\n", found->name);
      return false;
    }
    if (!set_argument(found, value)) return false;
  }
  return true;
}

#endif
