/* programs.c - which programs a guest may start, and which variables it may give them. */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "engine/grants.h"
#include "engine/platform.h"

static bool copy(struct sf_strings *out, const struct sf_strings *from) {
  out->bytes = from->bytes;
  out->text = malloc(from->bytes + 1);
  if (out->text != NULL && from->bytes > 0) memcpy(out->text, from->text, from->bytes);
  return out->text != NULL;
}

int32_t sf__grants_set_programs(struct sf_grants *grants, const struct sf_programs *programs) {
  struct sf_programs made = *programs;
  made.variables.text = NULL;
  if (!copy(&made.list, &programs->list) || !copy(&made.variables, &programs->variables)) {
    sf__grants_free_programs(&made);
    return -SF_ENOMEM;
  }
  sf__grants_free_programs(&grants->programs);
  grants->programs = made;
  return 0;
}

void sf__grants_free_programs(struct sf_programs *programs) {
  free(programs->list.text);
  free(programs->variables.text);
  *programs = (struct sf_programs){ 0 };
}

const char *sf__strings_next(const struct sf_strings *strings, const char *at) {
  const char *end = strings->text + strings->bytes;
  const char *next = at == NULL ? strings->text : at + strlen(at) + 1;
  return next < end ? next : NULL;
}

/* Returns where the copy ends. */
static char *put(char *at, const char *text) {
  const size_t bytes = strlen(text);
  memcpy(at, text, bytes + 1);
  return at + bytes;
}

static void append(struct sf_strings *out, const char *directory, const char *name) {
  char *at = out->text + out->bytes;
  if (directory != NULL) {
    at = put(at, directory);
    *at++ = '/';
  }
  at = put(at, name);
  out->bytes = (size_t)(at + 1 - out->text);
}

#ifdef SF_WINDOWS

static bool is_absolute(const char *name) {
  const bool drive = (name[0] >= 'A' && name[0] <= 'Z') || (name[0] >= 'a' && name[0] <= 'z');
  return name[0] == '/' || (drive && name[1] == ':' && (name[2] == '/' || name[2] == '\\'));
}

/* Whatever the case of its letters, and whichever way its strokes lean; and with ".exe" or without. */
static bool is_same(const char *program, const char *name) {
  for (; *name != '\0'; program++, name++) {
    const int other = *name == '\\' ? '/' : *name;
    if (tolower((unsigned char)*program) != tolower((unsigned char)other)) return false;
  }
  return *program == '\0' || _stricmp(program, ".exe") == 0;
}

static bool has_separator(const char *name) {
  return strpbrk(name, "/\\:") != NULL;
}

#else

static bool is_absolute(const char *name) {
  return name[0] == '/';
}

static bool is_same(const char *program, const char *name) {
  return strcmp(program, name) == 0;
}

static bool has_separator(const char *name) {
  return strchr(name, '/') != NULL;
}

#endif

static const char *last_component(const char *path) {
  return strrchr(path, '/') + 1;
}

/* How many are granted. */
static size_t count(const struct sf_strings *strings) {
  size_t found = 0;
  for (const char *at = NULL; (at = sf__strings_next(strings, at)) != NULL;) found++;
  return found;
}

int32_t sf__grants_find_program(const struct sf_grants *grants, const char *name,
                                struct sf_strings *out) {
  const struct sf_programs *programs = &grants->programs;
  const bool absolute = is_absolute(name);
  if (!programs->granted) return -SF_ENOTCAPABLE;
  if (!absolute && has_separator(name)) return -SF_EINVAL;
  const struct sf_strings *list = &programs->list;
  const size_t room = list->bytes + (count(list) + 1) * (strlen(name) + 2);
  *out = (struct sf_strings){ .text = malloc(room) };
  if (out->text == NULL) return -SF_ENOMEM;
  if (programs->any && absolute) append(out, NULL, name);
  for (const char *at = NULL; (at = sf__strings_next(list, at)) != NULL;) {
    if (programs->any) {
      if (!absolute) append(out, at, name);
    } else if (is_same(absolute ? at : last_component(at), name)) {
      append(out, NULL, at);
    }
  }
  if (out->bytes > 0) return 0;
  free(out->text);
  return programs->any ? -SF_ENOENT : -SF_ENOTCAPABLE;
}

bool sf__grants_allow_variable(const struct sf_grants *grants, const char *entry) {
  const struct sf_programs *programs = &grants->programs;
  if (programs->any || programs->any_variable) return true;
  const size_t bytes = strcspn(entry, "=");
  for (const char *at = NULL; (at = sf__strings_next(&programs->variables, at)) != NULL;) {
    if (strlen(at) == bytes && memcmp(at, entry, bytes) == 0) return true;
  }
  return false;
}
