import { beforeAll, expect, test } from "vitest";
import { ERRNO } from "../../ts/abi.gen.ts";
import { buildGuest, type TestGuest } from "../support/build-guest.ts";
import { runChild } from "../support/child.ts";

let guest: TestGuest;
beforeAll(async () => {
  guest = await buildGuest("names", { command: true });
});

const run = (...options: string[]) =>
  runChild("../ts/cli/main.ts", [
    ...["run", "--backend", "sim", "--seed", "1", ...options, guest.path],
    ...["resolve", "dns/4", "lookup", "dns/4"],
  ]);

test("run --allow-dns: a guest finds names, and without it none", async () => {
  const [allowed, refused] = await Promise.all([run("--allow-dns"), run()]);
  expect(allowed).toMatchObject({ code: 0, stderr: "" });
  expect(allowed.stdout).toBe("dns: 10.0.0.53\nlookup dns: 10.0.0.53\n");
  expect(refused.stdout).toBe(
    `dns: error ${ERRNO.ENOTCAPABLE}\nlookup dns: error ${ERRNO.ENOTCAPABLE}\n`,
  );
});
