/* released.h - handles on their way from one engine to another of the same pool.
 *
 *   RELEASE ─▶ struct sf_released: the handle, whole; a token stands for it ─▶ ADOPT
 *
 * A token is random bytes: whoever was not told it cannot name what it stands for, and only engines that were
 * opened with the same key find it at all. What was released belongs to the engine that released it until
 * another has it, and is closed with that engine: with a thread that crashed, and with the pool.
 */
#ifndef SF_RELEASED_H
#define SF_RELEASED_H

#include "engine/engine.h"

struct sf_handle_token;

/* Takes a handle out of the table and sets *out. Returns 0 or a negated sf_errno: -SF_EBUSY while something
 * is in flight on it; -SF_ENOTSUP for what belongs to the host or to this engine alone; -SF_EMFILE when as many
 * wait to be adopted as the engine may have handles. */
int32_t sf__released_add(struct sf_engine *engine, struct sf_handle *handle,
                         struct sf_handle_token *out);

/* Makes what the token stands for a handle of this engine. Returns it or a negated sf_errno: -SF_EBADF when it
 * stands for nothing any more, or never did here; with -SF_EMFILE and -SF_ENOMEM it can be adopted later. */
int32_t sf__released_adopt(struct sf_engine *engine, const struct sf_handle_token *token);

/* The engine is being closed, and with it what nobody has adopted. */
void sf__released_end(struct sf_engine *engine);

#endif
