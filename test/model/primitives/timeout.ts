//! Timeout scopes: each -ECANCELED is somebody's, and the scope whose time was up says so.

import type { Primitive, Rules } from "../case.ts";
import { single, sweep } from "../case.ts";
import { type Op, op, shielded, until } from "../operations.ts";
import { attribution } from "../requests.ts";

const wait = op("event_wait");
const set = op("event_set");
const checkpoint = op("checkpoint");
const recancel = op("recancel");
const sleep = op("sleep_until", 15);
const begin = (scope: number, instant: number): Op => op("scope_begin", scope, instant);
const end = (scope: number): Op => op("scope_end", scope);

const rules: Rules = {
  ownCancelLaw: true,
  laws: { "every ECANCELED is somebody's": attribution },
  mayWait: (call, h) => call.name === "event_wait" && !h.machine.ask(op("event_is_set")),
};

export const timeout: Primitive = {
  name: "timeout scope",
  *cases() {
    const bodies = [wait, checkpoint, sleep];
    for (const body of bodies) {
      for (const [outer, inner] of [
        [10, 20],
        [20, 10],
        [10, 10],
      ] as const) {
        yield single(
          rules,
          [
            [begin(0, outer), begin(1, inner), body, end(1), body, end(0), checkpoint],
            [set, checkpoint, set],
          ],
          { cancels: outer === inner ? 2 : 1, cancelable: [0] },
        );
      }
    }
    // A call whose -ECANCELED was passed over, and then another's.
    yield single(rules, [[begin(0, 10), wait, wait, end(0), checkpoint], [checkpoint]], {
      cancels: 2,
      cancelable: [0],
    });
    yield single(rules, [[begin(0, 20), begin(1, 10), wait, wait, end(1), wait, end(0)], [set]], {
      cancels: 1,
      cancelable: [0],
    });
    yield single(
      rules,
      [
        [begin(0, 10), wait, op("scope_set", 0, 20), wait, end(0)],
        [set, set],
      ],
      {
        cancels: 1,
      },
    );
    yield single(rules, [[begin(0, 10), shielded(sleep), end(0), checkpoint], [set]], {
      cancels: 1,
    });
    yield* sweep(rules, [until(10, wait), until(20, wait), set], 3, 2, {});
    const scope = [begin(0, 10), wait, end(0)];
    yield single(rules, [scope, scope, [set, checkpoint]], { cancels: 1 });
    yield single(rules, [scope, scope, [set, checkpoint, set]], {});
    yield single(rules, [scope, [set, checkpoint]], { cancels: 2, cancelable: [0] });
    yield single(rules, [[wait, recancel, checkpoint], [wait, recancel, wait], [set]], {
      cancels: 2,
    });
  },
};
