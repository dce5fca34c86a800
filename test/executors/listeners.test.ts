import { connect } from "node:net";
import { expect, test } from "vitest";
import { ERRNO } from "../../ts/abi.gen.ts";
import { guestOfFile } from "../support/guest-of-file.ts";
import { withPool } from "./pools.ts";

const load = guestOfFile("executors-listen");
const grants = { listen: ["127.0.0.1:*"] };

/** Connections to be shared: that one executor gets them all happens once in 2 ** 63 runs. */
const CONNECTIONS = 64;

test.each(["auto", "epoll"] as const)(
  "executors that listen on the same port share its connections (backend %s)",
  async (backend) => {
    await withPool(await load(), { grants, backend }, async (pool) => {
      const ready = pool.channel();
      const first = pool.spawn("serve", [0, ready.id], { on: 0 });
      const port = (await ready.receive())!;
      const second = pool.spawn("serve", [port, ready.id], { on: 1 });
      expect(await ready.receive()).toBe(port);
      const answers: number[] = [];
      for (let index = 0; index < CONNECTIONS; index++) answers.push(await ask(port));
      expect(new Set(answers)).toEqual(new Set([0, 1]));
      pool.cancel();
      expect(await Promise.all([first, second])).toEqual([0, 0]);
    });
  },
);

test("where the host cannot share a port, listening says so", async (context) => {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 23 || (major === 23 && minor >= 1))
    context.skip("node:net shares ports from 23.1 on");
  await withPool(await load(), { grants, backend: "node" }, async (pool) => {
    const ready = pool.channel();
    expect(await pool.spawn("serve", [0, ready.id])).toBe(-ERRNO.ENOTSUP);
  });
});

/** The number of the executor that answers. */
function ask(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("data", (data) => {
      socket.destroy();
      resolve(data[0]!);
    });
    socket.once("error", reject);
    socket.once("end", () => reject(new Error("the connection ended without an answer")));
  });
}
