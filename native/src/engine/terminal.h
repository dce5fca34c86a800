/* terminal.h - terminals that are raw, and get their mode back.
 *
 * The mode is the terminal's, not the descriptor's: one is raw from the first handle that wants that to the
 * last that has, whatever runtime they belong to. What is raw when the process exits is put right.
 */
#ifndef SF_TERMINAL_H
#define SF_TERMINAL_H

#include <stdint.h>

/* Makes the terminal raw until sf__terminal_release was called as often. Returns 0 or a negated sf_errno. */
int32_t sf__terminal_acquire(int fd);

/* The last of them gives the terminal its mode back. */
void sf__terminal_release(int fd);

#endif
