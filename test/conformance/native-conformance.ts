//! The laws of one native backend: as in Node, and as in Deno and Bun.

import { describe, test } from "vitest";
import type { BackendOptions } from "../../ts/host/backend.ts";
import type { MechanismName } from "../../ts/host/native/mechanisms.ts";
import { OTHER_HOST, openWithNames, otherName } from "../native/other-host.ts";
import { unavailable } from "../support/unavailable.ts";
import { backendConformance } from "./backend-conformance.ts";
import { emulatedSkips } from "./emulated.ts";
import { thisMachine } from "./setting.ts";

export async function nativeConformance(
  name: MechanismName,
  own: Readonly<Record<string, string>> = {},
): Promise<void> {
  const open = (options: BackendOptions) => openWithNames(name, options);
  const reason = await unavailable(open);
  if (reason !== undefined) {
    describe(`${name} backend`, () => {
      test.skip(`keeps the laws [skipped: ${reason}]`);
    });
    return;
  }
  const skip = { ...emulatedSkips(), ...own };
  backendConformance(name, { setting: () => thisMachine(open), skip });
  // As in Deno and Bun, where this is the same again.
  backendConformance(name, {
    setting: () => thisMachine((options) => openWithNames(name, options, OTHER_HOST)),
    child: otherName(name),
    skip,
  });
}
