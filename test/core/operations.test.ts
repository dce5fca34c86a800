import { describe, expect, test } from "vitest";
import { buildNative } from "../../scripts/build-native.ts";
import { openBackend } from "../../ts/host/open-backend.ts";
import { lawsOf } from "../support/runtime.ts";

buildNative();
const { backend: best } = await openBackend("auto", { grants: {}, handlesMax: 1 });
await best[Symbol.asyncDispose]();
const backends = [...new Set([best.name, "node" as const])];

const guest = lawsOf("operations");

describe.each(backends)("started operations on %s", (backend) => {
  const options = {
    backend,
    grants: { listen: ["127.0.0.1:0"], connect: ["127.0.0.1:*"] },
  };
  const law = (title: string, entry: string, args: readonly number[] = []): void => {
    guest.law(title, entry, args, options);
  };

  law("a read goes on when an event wins", "read_that_loses", [0]);
  law("a read goes on when a timeout wins", "read_that_loses", [1]);
  law("an accept goes on when an event wins", "accept_that_loses", [0]);
  law("an accept goes on when a timeout wins", "accept_that_loses", [1]);
  law("a connect goes on, and its error is its result", "connect_that_loses");
  law("a write goes on, and nothing is lost or doubled", "write_that_loses");
  law("a cancel ends it and takes nothing", "cancel");
  law("a cancel that races the data loses none", "cancel_races_data");
  law("a wait that ends leaves it and other waits alone", "waits_end_alone");
  for (let how = 0; how < 8; how++) {
    const what = [
      how & 1 ? "traps" : "returns",
      how & 2 ? "with buffers on its stack" : "with all of it on its stack",
      how & 4 ? "in flight" : "not taken by the host",
    ];
    law(`a task ${what.join(", ")}: its stack stays until the end`, "task_ends", [how]);
  }
  law("it belongs to its task wherever it lies", "task_ends_elsewhere");
  law("it ends before its canceled task has", "task_canceled");
  law("errors", "errors");
  law("a full ring is EAGAIN", "ring_full");
  law("a cancel waits for room in a full ring", "ring_full_cancel");
  law("a task that ends waits for room in a full ring", "ring_full_end");
});

test("the node backend is always among them", () => {
  expect(backends).toContain("node");
});
