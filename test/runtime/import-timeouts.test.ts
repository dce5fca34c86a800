import { expect, test } from "vitest";
import { ERRNO } from "../../ts/abi.gen.ts";
import { buildGuest } from "../support/build-guest.ts";
import { withRuntime } from "../support/runtime.ts";
import { withVirtualTime } from "../support/virtual-time.ts";

const SOURCE = `#include <stackful.h>
  __attribute__((import_module("env"), import_name("wait"))) void wait(void);
  __attribute__((export_name("go"))) int32_t go(void) {
    struct sf_timeout scope;
    sf_timeout_begin(&scope, sf_after(10 * SF_MILLISECOND));
    wait();
    return sf_timeout_end(&scope, sf_checkpoint());
  }`;

test("the time of a scope runs while a host import is awaited", async () => {
  const guest = await buildGuest({ source: SOURCE }, { asyncImports: ["env.wait"] });
  await withVirtualTime(async () => {
    const wait = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));
    await withRuntime(guest, { imports: { env: { wait } } }, async (runtime) => {
      expect(await runtime.spawn("go")).toBe(-ERRNO.ETIMEDOUT);
    });
  });
});
