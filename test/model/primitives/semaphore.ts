//! Semaphores: permits are conserved, and given in turn.

import { type Primitive, type Rules, single, sweep } from "../case.ts";
import type { History } from "../history.ts";
import { inTurn } from "../law-parts.ts";
import { after0, op, until } from "../operations.ts";

const one = op("acquire", 0, 1);
const two = op("acquire", 0, 2);
const tryOne = op("try_acquire", 0, 1);
const release = op("release", 0, 1);
const releaseTwo = op("release", 0, 2);

const free = (h: History): number => h.machine.ask(op("semaphore_permits"));

function conserved(h: History): string | undefined {
  let permits = h.case.setup[0]!.b;
  for (const call of h.named("acquire", "try_acquire", "release")) {
    if (call.name === "release" && call.ended) permits += call.op.b;
    else if (call.ok) permits -= call.op.b;
  }
  return permits === free(h) ? undefined : `${permits} permits are left, ${free(h)} are free`;
}

/** Nobody goes ahead of who waits. */
function noOvertaking(h: History): string | undefined {
  const calls = h.named("acquire", "try_acquire");
  const overtaker = calls.find(
    (call) =>
      call.ok && !call.waited && calls.some((each) => each !== call && each.waitsAt(call.begin)),
  );
  return overtaker && `${overtaker} while others wait`;
}

const rules: Rules = {
  laws: {
    "permits are conserved": conserved,
    "first come, first served": (h) => inTurn(h.named("acquire")),
    "nobody overtakes": noOvertaking,
  },
  // The first that waits wants more than there is; the others wait behind it.
  mayWait: (_, h) => h.named("acquire").find((call) => call.waiting)!.op.b > free(h),
};

export const semaphore: Primitive = {
  name: "semaphore",
  *cases() {
    const setup = [op("semaphore_init", 0, 1)];
    yield* sweep(rules, [one, release], 3, 3, { setup });
    yield* sweep(rules, [two, one, release], 3, 2, { setup, cancels: 1 });
    yield* sweep(rules, [until(10, two), tryOne, one, releaseTwo], 3, 2, { setup });
    const user = [one, after0(release), two, after0(releaseTwo)];
    yield single(rules, [user, user, user], { setup: [op("semaphore_init", 0, 2)] });
    yield single(rules, [[two], [one], [until(10, two)], [release]], { setup, cancels: 1 });
  },
};
