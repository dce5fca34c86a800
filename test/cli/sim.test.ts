import { beforeAll, expect, test } from "vitest";
import { buildGuest, type TestGuest } from "../support/build-guest.ts";
import { type ChildResult, runChild } from "../support/child.ts";

/** Connects to itself, and prints what is chance and time in its world. */
const SOURCE = `
#include <stackful.h>
#include <stdio.h>
#include <unistd.h>

static int32_t serve(void *listener) {
  char buffer[8];
  sf_handle_t connection = sf_tcp_accept((sf_handle_t)(intptr_t)listener, NULL);
  return sf_write_all(connection, buffer, (uint32_t)sf_read(connection, buffer, sizeof buffer));
}

int main(void) {
  struct sf_address address;
  char random[8], back[8];
  sf_address_parse("127.0.0.1", 9, 7000, &address);
  sf_handle_t listener = sf_tcp_listen(&address, 1);
  if (listener < 0) return 1;
  sf_spawn(serve, (void *)(intptr_t)listener, NULL, NULL);
  sf_handle_t connection = sf_tcp_connect(&address);
  if (getentropy(random, sizeof random) != 0) return 2;
  uint64_t start_ns = sf_monotonic_ns();
  if (sf_write_all(connection, random, sizeof random) < 0) return 3;
  int32_t count = sf_read(connection, back, sizeof back);
  if (sf_sleep(3600 * SF_SECOND) < 0) return 4;
  for (int i = 0; i < count; i++) printf("%02x", (unsigned char)back[i]);
  printf(" %llu\\n", (unsigned long long)(sf_monotonic_ns() - start_ns));
  return 0;
}
`;

let guest: TestGuest;
beforeAll(async () => {
  guest = await buildGuest({ source: SOURCE }, { command: true });
});

const run = (...options: string[]): Promise<ChildResult> =>
  runChild("../ts/cli/main.ts", [
    "run",
    "--allow-listen",
    "*",
    "--allow-connect",
    "*",
    ...options,
    guest.path,
  ]);

test("run --backend sim --seed: an hour passes at once, and a seed repeats it", async () => {
  const seeded = (seed: string): Promise<ChildResult> =>
    run("--backend", "sim", "--seed", seed, "--preset", "mobile");
  const [first, again, other] = await Promise.all([seeded("7"), seeded("7"), seeded("8")]);
  expect(first).toMatchObject({ code: 0, stderr: "", hung: false });
  expect(first.stdout).toMatch(/^[0-9a-f]{16} 36\d{11}\n$/);
  expect(again.stdout).toBe(first.stdout);
  expect(other.stdout).not.toBe(first.stdout);
});

test("without a seed the one of the world is told, and repeats it", async () => {
  const { code, stdout, stderr } = await run("--backend", "sim");
  expect(code).toBe(0);
  const [, seed] = /^stackful: --seed ([0-9a-f]{16})\n$/.exec(stderr)!;
  expect((await run("--backend", "sim", "--seed", seed!)).stdout).toBe(stdout);
});

test("a seed needs a simulated world, and a preset has to be one", async () => {
  for (const options of [
    ["--seed", "7"],
    ["--backend", "node", "--preset", "lan"],
  ]) {
    const { code, stderr } = await run(...options);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining("--seed and --preset need --backend sim"),
    });
  }
  const { stderr } = await run("--backend", "sim", "--preset", "moon");
  expect(stderr).toContain("--preset moon: expected one of ideal, lan, mobile, chaos");
});
