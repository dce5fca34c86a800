import { describe } from "vitest";
import { buildNative } from "../../scripts/build-native.ts";
import { openBackend } from "../../ts/host/open-backend.ts";
import { lawsOf } from "../support/runtime.ts";

buildNative();
const { backend: best } = await openBackend("auto", { grants: {}, handlesMax: 1 });
await best[Symbol.asyncDispose]();
const backends = [...new Set([best.name, "node" as const])];

const guest = lawsOf("udp");

describe.each(backends)("UDP between tasks on %s", (backend) => {
  const options = {
    backend,
    grants: { listen: ["127.0.0.1:0"], connect: ["127.0.0.1:*"] },
  };
  const law = (title: string, entry: string, args: readonly number[] = []): void => {
    guest.law(title, entry, args, options);
  };

  law("a client gets its answers", "echo", [1]);
  law("many clients each get their own answers", "echo", [16]);
  law("a wait for an answer that does not come ends, and the next one works", "timeout");
  law("datagrams that race a timeout are not lost", "timeout_races_data");
  law("a receive goes on when another socket's wins the select", "select_of_two");
  law("a started send goes out by itself", "started_send");
  for (const [when, flag] of [
    ["submitted", 0],
    ["taken", 2],
  ] as const) {
    const goes = `takes its receive back before its stack goes, when it was just ${when}`;
    law(`a task that returns ${goes}`, "receiver_ends", [flag]);
    law(`a task that traps ${goes}`, "receiver_ends", [flag | 1]);
  }
  law("receives in flight survive memory.grow", "grow_under_receives");
});
