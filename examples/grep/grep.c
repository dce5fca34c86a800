/* grep.c - the lines that hold a text, in all files below a directory, so many files at once.
 *
 *   stackful run --dir . grep.wasm --text sf_spawn --in ./wasm
 *
 * Shows:
 *   - a group that is as wide as one says: each file is a task, and what finds them waits while `--tasks` are
 *     at work, however many files there are;
 *   - files are read in pieces, and lines found where they lie; a line may be as long as it likes, but of one
 *     that is longer than the buffer only that much is searched and shown;
 *   - what cannot be read is said, and the rest is read.
 *
 * Files with a zero byte are binary, and of those it says only that they match; links are not followed. Ends
 * with 0 when there was such a line, 1 when there was none, 2 when something could not be read.
 */
#include <stackful.h>
#include <stackful/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/arguments.h"
#include "shared/error-name.h"

#define BUFFER_BYTES (64u << 10)

static struct search {
  struct sf_group group;
  const char *text;
  uint32_t text_bytes;
  uint64_t matches;
  uint64_t failures;
} search;

struct place {
  struct place *next;
  uint32_t bytes;
  char path[]; /* with a zero behind it */
};

static void complain(const struct place *place, int32_t error) {
  search.failures++;
  fprintf(stderr, "grep: %s: %s\n", place->path, error_text(error));
}

/* ── One file ────────────────────────────────────────────────────────────────────────────────────── */

struct file {
  const struct place *place;
  sf_handle_t handle;
  uint64_t line;   /* number of the line at `start` */
  uint32_t start;  /* of the buffer: what is before has been searched */
  uint32_t end;
  bool binary;
  bool skips;      /* the rest of a line that was too long for the buffer */
  char *buffer;
};

static bool holds_text(const char *line, uint32_t bytes) {
  const char *const last = line + bytes - search.text_bytes;
  if (bytes < search.text_bytes) return false;
  while ((line = memchr(line, search.text[0], (size_t)(last - line) + 1)) != NULL) {
    if (memcmp(line, search.text, search.text_bytes) == 0) return true;
    if (line++ == last) break;
  }
  return false;
}

/* Searches a line, unless it is what was left of one. Returns whether the file is done with. */
static bool search_line(struct file *file, const char *line, uint32_t bytes) {
  if (file->skips || !holds_text(line, bytes)) return false;
  search.matches++;
  if (file->binary) {
    printf("%s: binary file matches\n", file->place->path);
    return true;
  }
  printf("%s:%" PRIu64 ":%.*s\n", file->place->path, file->line, (int)bytes, line);
  return false;
}

/* Searches the lines that are whole. Returns whether the file is done with. */
static bool search_lines(struct file *file) {
  for (;;) {
    const char *line = file->buffer + file->start;
    const char *newline = memchr(line, '\n', file->end - file->start);
    if (newline == NULL) break;
    const uint32_t bytes = (uint32_t)(newline - line);
    if (search_line(file, line, bytes)) return true;
    file->skips = false;
    file->start += bytes + 1;
    file->line++;
  }
  file->end -= file->start;
  memmove(file->buffer, file->buffer + file->start, file->end);
  file->start = 0;
  if (file->end < BUFFER_BYTES) return false;
  /* As much of the line as there is room for. */
  if (search_line(file, file->buffer, file->end)) return true;
  file->skips = true;
  file->end = 0;
  return false;
}

static int32_t search_pieces(struct file *file) {
  for (bool first = true;; first = false) {
    const int32_t count =
      sf_read(file->handle, file->buffer + file->end, BUFFER_BYTES - file->end);
    if (count < 0) return count;
    if (count == 0) break;
    if (first) file->binary = memchr(file->buffer, '\0', (uint32_t)count) != NULL;
    file->end += (uint32_t)count;
    if (search_lines(file)) return 0;
  }
  if (file->end > 0) search_line(file, file->buffer, file->end);
  return 0;
}

static int32_t search_file(void *argument) {
  struct place *place = argument;
  struct file file = { .place = place, .line = 1, .buffer = malloc(BUFFER_BYTES) };
  int32_t result = -SF_ENOMEM;
  if (file.buffer != NULL) {
    result = file.handle = sf_open(place->path, place->bytes, SF_OPEN_READ | SF_OPEN_NO_FOLLOW, 0);
    if (result >= 0) {
      result = search_pieces(&file);
      sf_close(file.handle);
    }
  }
  if (result < 0 && result != -SF_ECANCELED) complain(place, result);
  free(file.buffer);
  free(place);
  return 0;
}

/* ── Directories ─────────────────────────────────────────────────────────────────────────────────── */

/* NULL: there is no memory. */
static struct place *place_below(const struct place *from, const char *name, uint32_t name_bytes) {
  struct place *place = malloc(sizeof(*place) + from->bytes + name_bytes + 2);
  if (place == NULL) return NULL;
  memcpy(place->path, from->path, from->bytes);
  place->bytes = from->bytes;
  if (from->bytes > 0 && from->path[from->bytes - 1] != '/') place->path[place->bytes++] = '/';
  memcpy(place->path + place->bytes, name, name_bytes);
  place->bytes += name_bytes;
  place->path[place->bytes] = '\0';
  place->next = NULL;
  return place;
}

/* Starts the search of a file once there are fewer tasks than may be; a directory is for later. */
static int32_t take_entry(const struct place *from, const struct sf_directory_entry *entry,
                          struct place **later) {
  if (entry->kind != SF_FILE_DIRECTORY && entry->kind != SF_FILE_REGULAR) return 0;
  struct place *place = place_below(from, sf_directory_entry_name(entry), entry->name_bytes);
  if (place == NULL) return -SF_ENOMEM;
  if (entry->kind == SF_FILE_DIRECTORY) {
    place->next = *later;
    *later = place;
    return 0;
  }
  int32_t error = sf_group_room(&search.group);
  if (error == 0) error = sf_group_spawn(&search.group, search_file, place, NULL, NULL);
  if (error < 0) free(place);
  return error;
}

static int32_t read_entries(const struct place *place, sf_handle_t directory,
                            struct place **later) {
  static char entries[BUFFER_BYTES];
  int32_t count;
  while ((count = sf_read_directory(directory, entries, BUFFER_BYTES, 0)) > 0) {
    for (int32_t at = 0; at < count;) {
      const struct sf_directory_entry *entry = (const struct sf_directory_entry *)(entries + at);
      const int32_t error = take_entry(place, entry, later);
      if (error < 0) return error;
      at += entry->record_bytes;
    }
  }
  return count;
}

/* One directory after the other; what they hold is searched meanwhile. */
static int32_t search_tree(struct place *root) {
  int32_t result = root == NULL ? -SF_ENOMEM : 0;
  for (struct place *later = root; later != NULL;) {
    struct place *place = later;
    later = place->next;
    if (result != -SF_ECANCELED) {
      const uint32_t flags = SF_OPEN_READ | SF_OPEN_DIRECTORY | SF_OPEN_NO_FOLLOW;
      const sf_handle_t directory = result = sf_open(place->path, place->bytes, flags, 0);
      if (directory >= 0) {
        result = read_entries(place, directory, &later);
        sf_close(directory);
      }
      if (result < 0 && result != -SF_ECANCELED) complain(place, result);
    }
    free(place);
  }
  return result;
}

int main(int argc, char **argv) {
  const char *in = ".";
  uint64_t tasks = 32;
  const struct argument arguments[] = {
    { .name = "--text", .text = &search.text },
    { .name = "--in", .text = &in },
    { .name = "--tasks", .number = &tasks, .number_min = 1, .number_max = 10000 },
  };
  if (!parse_arguments(argc, argv, arguments, sizeof(arguments) / sizeof(*arguments))) return 2;
  if (search.text == NULL || search.text[0] == '\0') {
    fprintf(stderr, "grep: --text TEXT\n");
    return 2;
  }
  search.text_bytes = (uint32_t)strlen(search.text);
  sf_group_init(&search.group, (uint32_t)tasks, 0);
  const struct place none = { .bytes = 0 };
  const int32_t result = search_tree(place_below(&none, in, (uint32_t)strlen(in)));
  const int32_t ended = sf_group_wait(&search.group);
  if (result == -SF_ECANCELED || ended < 0) return 2;
  return search.failures > 0 ? 2 : search.matches > 0 ? 0 : 1;
}
