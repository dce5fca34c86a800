//! Faults that the laws must find: a text of the core, what is put in its place, and the law that this
//! breaks. Those of one batch are in one core: none of them is in the way of another's primitive.

import type { Replacement } from "../support/faulty-core.ts";
import type { Primitive } from "./case.ts";
import { broadcast, watch } from "./primitives/broadcast.ts";
import { batch, bounded, rendezvous, unbounded } from "./primitives/channel.ts";
import { condition } from "./primitives/condition.ts";
import { autoEvent, event, latch, notify } from "./primitives/events.ts";
import { group } from "./primitives/group.ts";
import { operation, pairs, signal, startedOperation } from "./primitives/host.ts";
import { barrier, futex, future, once } from "./primitives/meetings.ts";
import { mutex } from "./primitives/mutex.ts";
import { recursive } from "./primitives/recursive.ts";
import { rwlock } from "./primitives/rwlock.ts";
import { select } from "./primitives/select.ts";
import { semaphore } from "./primitives/semaphore.ts";
import { cancel, join, parking, room, sleep } from "./primitives/tasks.ts";
import { timeout } from "./primitives/timeout.ts";

export interface Mutation extends Replacement {
  readonly primitive: Primitive;
  /** What is wrong then. */
  readonly fault: string;
  readonly breaks: string;
}

const locksAndEvents: readonly Mutation[] = [
  {
    primitive: mutex,
    fault: "a mutex that is handed over is free until its new holder runs",
    file: "mutex.c",
    find: "mutex->holder = waiter->task->serial;",
    replace: "mutex->holder = 0;",
    breaks: "one holder",
  },
  {
    primitive: rwlock,
    fault: "readers get in while a writer waits",
    file: "rwlock.c",
    find: "if (lock->writer != 0 || lock->writers_waiting.first != NULL) return -SF_EAGAIN;",
    replace: "if (lock->writer != 0) return -SF_EAGAIN;",
    breaks: "writers go first",
  },
  {
    primitive: semaphore,
    fault: "permits are taken although others wait for more",
    file: "semaphore.c",
    find: "semaphore->permits < permits || semaphore->waiters.first != NULL",
    replace: "semaphore->permits < permits",
    breaks: "first come, first served",
  },
  {
    primitive: event,
    fault: "a set wakes one of those that wait",
    file: "event.c",
    find: "    wait_queue_wake_all(core, &event->waiters, 0);",
    replace:
      "    if (event->waiters.first != NULL) waiter_wake(core, wait_queue_pop(&event->waiters), 0);",
    breaks: "no lost wake-up",
  },
  {
    primitive: autoEvent,
    fault: "a set that wakes one stays set",
    file: "event.c",
    find: "  } else {\n    event->set = 1;\n  }",
    replace: "    event->set = 1;\n  } else {\n    event->set = 1;\n  }",
    breaks: "each set lets one through",
  },
  {
    primitive: notify,
    fault: "the last that came is woken first",
    file: "event.c",
    find: "  waiter_wake(core_get(), wait_queue_pop(notify), 0);",
    replace:
      "  struct sf_waiter *last = notify->last;\n  wait_queue_remove(notify, last);\n  waiter_wake(core_get(), last, 0);",
    breaks: "first come, first served",
  },
  {
    primitive: latch,
    fault: "a count that goes down to 0 wakes nobody",
    file: "event.c",
    find: "if (count == 0) wait_queue_wake_all",
    replace: "if (count == 0 && by >= 0) wait_queue_wake_all",
    breaks: "no lost wake-up",
  },
  {
    primitive: barrier,
    fault: "a barrier that has opened stays open",
    file: "barrier.c",
    find: "barrier->missing = barrier->parties;",
    replace: "barrier->missing = 1;",
    breaks: "all or nobody passes",
  },
  {
    primitive: future,
    fault: "a second value replaces the first",
    file: "future.c",
    find: "  if (future->state != FUTURE_PENDING) return -SF_EALREADY;\n",
    replace: "",
    breaks: "the first value is everybody's",
  },
  {
    primitive: once,
    fault: "after a failure two do it",
    file: "future.c",
    find: "    once->runner = waiter->task->serial;\n",
    replace: "",
    breaks: "done once, by one at a time",
  },
  {
    primitive: futex,
    fault: "a wake counts and wakes those of another word",
    file: "futex.c",
    find: "    if (waiter->item != word) continue;\n",
    replace: "",
    breaks: "wakes as many as wait at the word, and no others",
  },
  {
    primitive: bounded,
    fault: "a freed place is not given to the sender that waits",
    file: "channel.c",
    find: "    if (channel->senders.first != NULL) {\n      buffer_push",
    replace: "    if (0) {\n      buffer_push",
    breaks: "senders are served in turn",
  },
  {
    primitive: broadcast,
    fault: "however many items were lost, one is reported",
    file: "broadcast.c",
    find: "consumer->missed += behind - broadcast->count;",
    replace: "consumer->missed++;",
    breaks: "no gap but what was reported",
  },
  {
    primitive: watch,
    fault: "who was woken does not know which version it has seen",
    file: "broadcast.c",
    find: "*(uint32_t *)waiter->count = sf_watch_get(watch, waiter->item);",
    replace: "sf_watch_get(watch, waiter->item);",
    breaks: "who looks sees the latest, who waits the next",
  },
  {
    primitive: signal,
    fault: "a raise that woke a task is still unseen",
    file: "signal.c",
    find: "    ((struct signal *)waiter->item)->seen = state->raised;\n",
    replace: "",
    breaks: "every raise is seen once by each",
  },
  {
    primitive: pairs,
    fault: "a close does not wake those that receive",
    file: "channel.c",
    find: "  wait_queue_wake_all(core, &channel->receivers, -SF_EPIPE);\n",
    replace: "",
    breaks: "no lost wake-up",
  },
];

const tasks: readonly Mutation[] = [
  {
    primitive: condition,
    fault: "a canceled waiter does not wait for the mutex",
    file: "mutex.c",
    find: "  if (mutex->holder == 0) {\n    mutex->holder = task->serial;",
    replace: "  if (mutex->holder == 0 || result < 0) {\n    mutex->holder = task->serial;",
    breaks: "a signal wakes the first, and it holds the mutex",
  },
  {
    primitive: rendezvous,
    fault: "a sender whose item was taken sleeps on",
    file: "channel.c",
    find: "    copy_item(item, channel->senders.first->item, channel->item_bytes);\n    sender_advance(core, channel);",
    replace:
      "    copy_item(item, channel->senders.first->item, channel->item_bytes);\n    wait_queue_pop(&channel->senders);",
    breaks: "no item is lost, doubled or made up",
  },
  {
    primitive: group,
    fault: "the last error counts",
    file: "group.c",
    find: "result != -SF_ECANCELED && group->error == 0",
    replace: "result != -SF_ECANCELED",
    breaks: "no end before the last member's, and the first error counts",
  },
  {
    primitive: startedOperation,
    fault: "an operation's end wakes one of those that wait for it",
    file: "operation.c",
    find: "  wait_queue_wake_all(core, &operation->waiters, result);",
    replace:
      "  if (operation->waiters.first != NULL)\n    waiter_wake(core, wait_queue_pop(&operation->waiters), result);",
    breaks: "no lost wake-up",
  },
  {
    primitive: parking,
    fault: "an unpark that comes first is lost",
    file: "spawn.c",
    find: "    task->flags |= SF_TASK_PERMIT;",
    replace: "    task->flags |= 0;",
    breaks: "an unpark is not lost, and not doubled",
  },
  {
    primitive: join,
    fault: "who waits does not get the result",
    file: "task.h",
    find: "    if (joiner->item != NULL) *(int32_t *)joiner->item = result;\n",
    replace: "",
    breaks: "who waits gets the result",
  },
  {
    primitive: room,
    fault: "a task's end tells nobody that there is room",
    file: "task.h",
    find: "  if (UNLIKELY(core->spawners.first != NULL)) spawners_wake(core, ROOM_FOR_ANY);\n",
    replace: "",
    breaks: "no lost wake-up",
  },
  {
    primitive: sleep,
    fault: "a sleep is over too early",
    file: "spawn.c",
    find: "timer_arm_later(core_get(), &self->timer, TIMER_SLEEP, duration_ns);",
    replace: "timer_arm_later(core_get(), &self->timer, TIMER_SLEEP, duration_ns / 2);",
    breaks: "never early, and awake when it is time",
  },
];

const requests: readonly Mutation[] = [
  {
    primitive: recursive,
    fault: "who holds a mutex is not recognised",
    file: "mutex.c",
    find: "return mutex->holder == serial ? -SF_EDEADLK : -SF_EAGAIN;",
    replace: "return -SF_EAGAIN;",
    breaks: "no lost wake-up",
  },
  {
    primitive: timeout,
    fault: "a scope's time hides the user's request",
    file: "timeout.c",
    find: "if (task->shields != 0 || !(task->flags & SF_TASK_CANCELED)) return -SF_ETIMEDOUT;",
    replace: "return -SF_ETIMEDOUT;",
    breaks: "every ECANCELED is somebody's",
  },
  {
    primitive: unbounded,
    fault: "one item more than the limit is taken",
    file: "channel.c",
    find: "if (channel->capacity >= channel->limit) return -SF_EAGAIN;",
    replace: "if (channel->capacity > channel->limit) return -SF_EAGAIN;",
    breaks: "first in, first out",
  },
  {
    primitive: select,
    fault: "of two arms that are ready both have their effect",
    file: "select.c",
    find: "    arm->waiter.result = result;\n    return (int32_t)index;",
    replace:
      "    arm->waiter.result = result;\n    if (i + 1 < arms_count) arm_try(core, &arms[i + 1]);\n    return (int32_t)index;",
    breaks: "an item is taken, or sent, by the winner alone",
  },
  {
    primitive: operation,
    fault: "an operation that a request ended leaves the request pending",
    file: "run.c",
    find: "    if (result == -SF_ECANCELED) request_noticed(task, request_take(task));\n",
    replace: "",
    breaks: "one request, one ECANCELED",
  },
];

const rest: readonly Mutation[] = [
  {
    primitive: cancel,
    fault: "a second request before the task runs is one more",
    file: "cancel.h",
    find: "task->waiter.count = by == BY_USER ? NOTICED : 0;",
    replace: "task->waiter.count = by == BY_USER ? 0 : 0;",
    breaks: "one request, one ECANCELED",
  },
  {
    primitive: batch,
    fault: "a batch that was sent in part says that nothing was",
    file: "channel.c",
    find: "if (requested && done != 0) return (int32_t)done;",
    replace: "if (requested && done != 0 && attend(core_get(), self)) return -SF_ECANCELED;",
    breaks: "no item is lost, doubled or made up",
  },
];

export const batches: Readonly<Record<string, readonly Mutation[]>> = {
  "locks and events": locksAndEvents,
  tasks,
  requests,
  rest,
};
