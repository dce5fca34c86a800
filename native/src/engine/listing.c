#include "engine/listing.h"

#include <stdlib.h>

bool sf__listing_open(struct sf_listing **listing) {
  if (*listing == NULL) *listing = calloc(1, sizeof(**listing));
  return *listing != NULL;
}

void sf__listing_close(struct sf_listing *listing) {
  if (listing == NULL) return;
  if (listing->stream != NULL) closedir(listing->stream);
  free(listing);
}
