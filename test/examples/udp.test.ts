import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { beforeAll, expect, test } from "vitest";
import { buildExamples } from "../../scripts/build-examples.ts";
import { World } from "../../ts/host/sim/world.ts";
import { Runtime } from "../../ts/runtime/runtime.ts";
import { runChild, startChild } from "../support/child.ts";

const files = new Map<string, string>();
beforeAll(async () => {
  for (const { name, file } of await buildExamples(["udp-echo", "ntp"])) files.set(name, file);
}, 240_000);

const CLI = "../ts/cli/main.ts";
const BACKENDS = ["node", "auto"];

function command(name: string, backend: string, args: readonly string[]): string[] {
  const grants = ["--allow-listen", "127.0.0.1:*", "--allow-listen", "0.0.0.0:0"];
  return [
    "run",
    "--backend",
    backend,
    ...grants,
    "--allow-connect",
    "127.0.0.1:*",
    files.get(name)!,
    ...args,
  ];
}

test.each(BACKENDS)(
  "udp-echo on %s answers every datagram, until it is canceled",
  async (backend) => {
    const server = startChild(CLI, command("udp-echo", backend, []));
    const { port } = JSON.parse(await server.wrote("}\n")) as { port: number };
    const clients = await Promise.all(
      [1, 2].map(() =>
        runChild(CLI, command("udp-echo", backend, ["--to", `${port}`, "--count", "200"])),
      ),
    );
    for (const { code, hung, stdout, stderr } of clients) {
      expect({ code, hung, stderr }).toEqual({ code: 0, hung: false, stderr: "" });
      expect(JSON.parse(stdout)).toMatchObject({ answered: 200 });
    }
    server.signal("SIGINT");
    const { hung, stdout } = await server.ended;
    expect(hung).toBe(false);
    const totals = JSON.parse(stdout.trim().split("\n").at(-1)!) as Record<string, number>;
    expect(totals.datagrams).toBeGreaterThanOrEqual(400);
    expect(totals.unsent).toBe(0);
  },
);

test.each(BACKENDS)("the client of udp-echo on %s is told that nobody listens", async (backend) => {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  const { code, stderr } = await runChild(CLI, command("udp-echo", backend, ["--to", `${port}`]));
  expect(code).toBe(1);
  expect(stderr).toContain("(ECONNREFUSED)");
});

test("over a network that loses datagrams the client of udp-echo asks again", async () => {
  await using world = new World({
    seed: "udp-echo",
    preset: "mobile",
    network: { datagramLoss: 0.2, datagramDuplicates: 0.2, datagramReorder: 0.2 },
  });
  const grants = { listen: ["*"], connect: ["*"] };
  const server = world.host("server");
  const client = world.host("client");
  await using serving = await Runtime.create(files.get("udp-echo")!, {
    backend: server,
    args: ["--host", server.addresses.ipv4, "--port", "7000"],
    grants,
    onOutput: () => {},
  });
  const ended = serving.run();
  const lines: string[] = [];
  const to = ["--to-host", server.addresses.ipv4, "--to", "7000", "--count", "100"];
  await using asking = await Runtime.create(files.get("udp-echo")!, {
    backend: client,
    args: ["--host", client.addresses.ipv4, ...to],
    grants,
    onOutput: (_stream, line) => lines.push(line),
  });
  expect(await asking.run()).toBe(0);
  const { answered, again } = JSON.parse(lines.join("")) as Record<string, number>;
  expect(answered).toBe(100);
  expect(again).toBeGreaterThan(10);
  serving.cancel();
  expect(await ended).toBe(0);
});

/** A time server whose clock is ahead by so much. It does not answer the first question it gets. */
async function timeServer(aheadMs: number): Promise<{ socket: Socket; port: number }> {
  const socket = createSocket("udp4");
  let asked = 0;
  socket.on("message", (question, { address, port }) => {
    if (asked++ === 0) return;
    const answer = Buffer.alloc(48);
    answer[0] = (4 << 3) | 4;
    answer[1] = 2;
    const stale = Buffer.from(answer);
    stale.fill(1, 24);
    socket.send(stale, port, address);
    question.copy(answer, 24, 40, 48);
    writeTime(answer, 32, Date.now() + aheadMs);
    writeTime(answer, 40, Date.now() + aheadMs);
    socket.send(answer, port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return { socket, port: socket.address().port };
}

function writeTime(packet: Buffer, at: number, ms: number): void {
  packet.writeUInt32BE(Math.floor(ms / 1000) + 2_208_988_800, at);
  packet.writeUInt32BE(Math.floor(((ms % 1000) / 1000) * 2 ** 32), at + 4);
}

test.each(BACKENDS)("ntp on %s tells how far a server's clock is ahead", async (backend) => {
  const aheadMs = 90_000;
  const { socket, port } = await timeServer(aheadMs);
  const { code, hung, stdout, stderr } = await runChild(
    CLI,
    command("ntp", backend, ["--port", `${port}`]),
  );
  socket.close();
  expect({ code, hung, stderr }).toEqual({ code: 0, hung: false, stderr: "" });
  const { offset_ms, delay_ms } = JSON.parse(stdout) as Record<string, number>;
  // Both clocks are one: what is wrong is at most half the trip, and Date's own millisecond.
  expect(Math.abs(offset_ms! - aheadMs)).toBeLessThanOrEqual(delay_ms! / 2 + 1);
  expect(delay_ms).toBeGreaterThan(-2);
});
