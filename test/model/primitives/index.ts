//! All primitives, by what they have to do with each other.

import type { Primitive } from "../case.ts";
import { broadcast, watch } from "./broadcast.ts";
import { batch, bounded, rendezvous, unbounded } from "./channel.ts";
import { condition } from "./condition.ts";
import { autoEvent, event, latch, notify } from "./events.ts";
import { group } from "./group.ts";
import { operation, pairs, signal, startedOperation } from "./host.ts";
import { barrier, futex, future, once } from "./meetings.ts";
import { mutex } from "./mutex.ts";
import { recursive } from "./recursive.ts";
import { rwlock } from "./rwlock.ts";
import { select } from "./select.ts";
import { semaphore } from "./semaphore.ts";
import { cancel, join, parking, room, sleep } from "./tasks.ts";
import { timeout } from "./timeout.ts";

export const locksAndChannels: readonly Primitive[] = [
  mutex,
  recursive,
  condition,
  rwlock,
  semaphore,
  rendezvous,
  bounded,
  unbounded,
  batch,
  broadcast,
  watch,
  select,
];

export const tasksAndEvents: readonly Primitive[] = [
  event,
  autoEvent,
  notify,
  latch,
  barrier,
  future,
  once,
  futex,
  join,
  sleep,
  parking,
  cancel,
  room,
  timeout,
  group,
  operation,
  startedOperation,
  signal,
  pairs,
];

export const primitives: readonly Primitive[] = [...locksAndChannels, ...tasksAndEvents];
