/* attach.h - objects on a task's stack that the core refers to from elsewhere: running timers, groups
 * with members, operations in flight. When the task ends first they are taken back, so that nothing
 * ever points into a stack that is somebody else's by then.
 */
#ifndef STACKFUL_ATTACH_H
#define STACKFUL_ATTACH_H

#include "slots.h"
#include "arena.h"

enum attachment_kind { ATTACHED_TIMER, ATTACHED_GROUP, ATTACHED_OPERATION };

struct attachment {
  struct attachment *next;
  struct attachment *previous;
  struct sf_task *owner; /* NULL: not attached */
  uint32_t kind;
};

INLINE uint32_t region_end(const struct sf_task *task) {
  return frames_base(task) + size_class_bytes(task->size_class);
}

INLINE uint32_t in_stack_of(const struct sf_task *task, const void *object) {
  return address_of(object) - frames_base(task) < size_class_bytes(task->size_class);
}

static void attach(struct attachment *attachment, struct sf_task *owner, uint32_t kind) {
  attachment->owner = owner;
  attachment->kind = kind;
  attachment->previous = NULL;
  attachment->next = owner->attached;
  if (attachment->next != NULL) attachment->next->previous = attachment;
  owner->attached = attachment;
}

/* Does nothing when it is not attached. */
static void detach(struct attachment *attachment) {
  struct sf_task *owner = attachment->owner;
  if (owner == NULL) return;
  attachment->owner = NULL;
  if (attachment->previous == NULL)
    owner->attached = attachment->next;
  else
    attachment->previous->next = attachment->next;
  if (attachment->next != NULL) attachment->next->previous = attachment->previous;
}

#endif
