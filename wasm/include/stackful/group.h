/* group.h - groups: tasks that end before their group does. */
#ifndef STACKFUL_GROUP_H
#define STACKFUL_GROUP_H

#include "task.h"

/* A set of tasks that are waited for together:
 *
 *   struct sf_group group;
 *   sf_group_init(&group, 0, SF_GROUP_FAIL_FAST);
 *   sf_group_spawn(&group, fetch, a, NULL, NULL);
 *   sf_group_spawn(&group, fetch, b, NULL, NULL);
 *   int32_t error = sf_group_wait(&group);
 *
 * Always end with sf_group_wait or sf_group_cancel; then it can be used again. */
struct sf_group {
  uint64_t opaque[8];
};

enum sf_group_flags {
  SF_GROUP_FAIL_FAST = 1, /* the first error cancels the other members */
};

/* `running_max`: members that run at once, 0 for any number. Those above it start in the order in
 * which they were spawned. */
SF_IMPORT(sf_group_init)
void sf_group_init(struct sf_group *group, uint32_t running_max, uint32_t flags);

/* Spawns a member. `result_out`, when not NULL, gets what it returns and must live as long as the
 * group. A negative result is the group's error, the first one stays; -SF_ECANCELED is none.
 * Errors: as sf_spawn; ECANCELED while the group is being canceled. */
SF_IMPORT(sf_group_spawn)
int32_t sf_group_spawn(struct sf_group *group, sf_entry_fn entry, void *argument,
                       const struct sf_spawn_options *options, int32_t *result_out);

/* Parks while running_max members or more are there: for spawning no faster than they end. */
SF_PARKS SF_IMPORT(sf_group_room) int32_t sf_group_room(struct sf_group *group);

/* Waits until every member has ended, those spawned meanwhile too. Returns 0 or the first error (a
 * trapped member's is ENOTRECOVERABLE) and clears it. A cancel, or a timeout scope that expires,
 * cancels the members, waits for them, and then returns -SF_ECANCELED. EDEADLK: from a member. */
SF_PARKS SF_IMPORT(sf_group_wait) int32_t sf_group_wait(struct sf_group *group);

/* Cancels every member and waits for all. Not a cancel point. Returns 0, or the error of a member
 * that failed meanwhile. EDEADLK: from a member. */
SF_PARKS SF_IMPORT(sf_group_cancel) int32_t sf_group_cancel(struct sf_group *group);

/* Requests the cancel of every member and does not wait. */
SF_IMPORT(sf_group_cancel_request) void sf_group_cancel_request(struct sf_group *group);

/* Members that have not ended. */
SF_IMPORT(sf_group_count) uint32_t sf_group_count(const struct sf_group *group);

#endif
