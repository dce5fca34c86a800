/* listing.h - where the reading of a directory goes on, on systems where a position means nothing outside
 * the stream that it is of. */
#ifndef SF_LISTING_H
#define SF_LISTING_H

#include <dirent.h>
#include <stdbool.h>

struct sf_listing {
  DIR *stream; /* owned; NULL: it was not begun */
  const struct dirent *next; /* read, and not told: there was no room */
};

/* Makes one, if there is none. Returns whether there is. */
bool sf__listing_open(struct sf_listing **listing);

/* Also of NULL. */
void sf__listing_close(struct sf_listing *listing);

#endif
