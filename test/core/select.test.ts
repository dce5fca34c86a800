import { lawsOf } from "../support/runtime.ts";

const { virtualLaw: law } = lawsOf("select");

/** The order of `enum kind` in select.c. */
const KINDS = [
  "receive",
  "send",
  "task",
  "group",
  "broadcast",
  "watch",
  "event",
  "timer",
  "notify",
  "future",
  "semaphore",
  "latch",
  "timeout",
  "operation",
  "source",
];
const grants = { listen: ["127.0.0.1:0"] };

KINDS.forEach((name, kind) => {
  law(`an arm is served: ${name}`, "an_arm_is_served", [kind, 0], { grants });
  // These are served later: the request would be first.
  if (!["task", "group", "timeout", "operation"].includes(name)) {
    law(`a cancel after an arm has won stays pending: ${name}`, "an_arm_is_served", [kind, 1]);
  }
  law(`an arm that loses has no effect: ${name}`, "an_arm_is_ready_or_has_lost", [kind], {
    grants,
  });
  // Timers that are due at once have no order.
  if (name === "timeout") return;
  law(`two arms on one thing: ${name}`, "two_arms_on_one_thing", [kind], { grants });
});

law("of several that are ready the first counts", "the_first_ready_counts");
for (const [arms, seed] of [
  [1, 1],
  [2, 2],
  [5, 3],
  [16, 4],
] as const) {
  law(`a fair select passes nobody over: ${arms} channels`, "fair_passes_nobody_over", [
    arms,
    seed,
  ]);
}
law("the try form never waits", "try_never_waits");
law("without arms it waits for a cancel", "without_arms_it_waits_for_a_cancel");
law("arms of no source, and more than fit: EINVAL", "arms_of_no_source");
law("1,000 arms", "a_thousand_arms");

law("send and receive on one rendezvous", "send_and_receive_on_one_rendezvous", [1]);
law("ten pairs send and receive on one rendezvous", "send_and_receive_on_one_rendezvous", [10]);
law("what is closed or gone is ready with its error", "closed_things");

law("a source serves those that wait in their order", "sources_serve_in_order");
law("a poll that parks ends its caller", "a_bad_poll_is_its_callers", [0]);
law("a poll that traps ends its caller", "a_bad_poll_is_its_callers", [1]);
law("EOWNERDEAD when what an arm waits for goes with its task", "the_owner_is_dead");
