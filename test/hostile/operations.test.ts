import { beforeAll, describe, expect, test } from "vitest";
import type { BackendName } from "../../ts/host/backend.ts";
import { openBackend } from "../../ts/host/open-backend.ts";
import { buildGuest, type TestGuest } from "../support/build-guest.ts";
import { withRuntime } from "../support/runtime.ts";

async function reasonNotToOpen(name: BackendName): Promise<string | undefined> {
  try {
    const { backend } = await openBackend(name, { grants: {}, handlesMax: 1 });
    await backend[Symbol.asyncDispose]();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const BACKENDS: readonly BackendName[] = ["node", "uring", "epoll", "poll"];
const unavailable = new Map(
  await Promise.all(BACKENDS.map(async (name) => [name, await reasonNotToOpen(name)] as const)),
);
let guest: TestGuest;
beforeAll(async () => {
  guest = await buildGuest("hostile", { asyncImports: ["env.wait"] });
});

describe.each(BACKENDS)("backend %s", (backend) => {
  const options = {
    backend,
    imports: { env: { wait: (): number => 0 } },
    grants: { listen: ["127.0.0.1:0"], connect: ["127.0.0.1:*"] },
  };
  const law = (title: string, entry: string, args: readonly number[] = []): void => {
    test(title, async (context) => {
      const reason = unavailable.get(backend);
      context.skip(reason !== undefined, reason);
      await withRuntime(guest, options, async (runtime) => {
        const line = await runtime.spawn(entry, args, { stackBytes: 65_536 });
        expect(line, `the law broken at hostile.c:${String(line)}`).toBe(0);
      });
    });
  };

  law("forged handles are EBADF for every operation", "forged_handles", [3]);
  law("wild pointers and lengths are EFAULT, and the handle stays usable", "wild_pointers");
  law("reads in flight survive memory.grow", "grow_under_reads");
});
