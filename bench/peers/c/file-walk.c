/* file-walk.c - a walk over a tree, one name after the other. */
#define _GNU_SOURCE
#include <fts.h>
#include <sys/stat.h>

#include "peer.h"

/* FNV-1a; bench/file-tree.ts has the same function. */
static uint32_t hash_of(const char *name) {
  uint32_t hash = 2166136261u;
  for (; *name != '\0'; name++) hash = (hash ^ (uint8_t)*name) * 16777619u;
  return hash;
}

int file_walk(int argc, char **argv) {
  const uint32_t files = flag(argc, argv, "--files=");
  const uint32_t looks = flag(argc, argv, "--stat=");
  char *const paths[] = { argv[argc - 1], NULL };
  const struct meter start = meter_start();
  FTS *tree = fts_open(paths, FTS_PHYSICAL | (looks ? 0 : FTS_NOSTAT), NULL);
  const FTSENT *entry;
  uint32_t sum = 0;
  while (tree != NULL && (entry = fts_read(tree)) != NULL) {
    if (entry->fts_info == FTS_F || entry->fts_info == FTS_NSOK) {
      sum += hash_of(entry->fts_name) + 1;
      if (looks) sum += (uint32_t)entry->fts_statp->st_nlink + (uint32_t)entry->fts_statp->st_size;
    } else if (entry->fts_info != FTS_D && entry->fts_info != FTS_DP) {
      fprintf(stderr, "file-walk: %s: %s\n", entry->fts_path, strerror(entry->fts_errno));
      return 1;
    }
  }
  const struct meter end = meter_end(&start);
  meter_print(&end, "file", files, sum, "C, fts");
  return 0;
}
