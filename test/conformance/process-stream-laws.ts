//! Laws of what a guest gives its children to read from and to write to.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import { OP, OPEN, SOCKET_TYPE } from "../../ts/abi.gen.ts";
import { childCommand } from "../support/child.ts";
import type { Law } from "./backend-conformance.ts";
import { errnoName, type Guest, must, pattern, text } from "./guest.ts";
import { CAT, endOf, lawOfProcesses, SHELL, shell, spawn, trySpawn } from "./process-guest.ts";

/** More than a pipe holds. */
const MUCH = 1024 * 1024;

const NOTHING = { code: 0, signal: 0 };

export function processStreamLaws(law: Law): void {
  const processLaw = lawOfProcesses(law, { programs: [SHELL, CAT] });
  childLaws(processLaw);
  pipeLaws(processLaw);
  inheritLaws(processLaw);
  socketLaws(processLaw);

  processLaw("a child goes on in a file where the guest is", async ({ guest, files, data }) => {
    await files.write(join(data, "in"), "read by both");
    const handle = must(await guest.open("/data/in", OPEN.READ));
    expect(text(await guest.read(handle, 5))).toBe("read ");
    expect(await catFrom(guest, handle)).toBe("by both");
    expect(await guest.read(handle, 5)).toHaveLength(0);
  });
}

/** What cat reads from a handle. */
async function catFrom(guest: Guest, handle: number): Promise<string> {
  const stdio = [{ handle }, "pipe", "null"] as const;
  const { handle: child, pipes } = await spawn(guest, { path: CAT, args: ["cat"], stdio });
  const output = text(await guest.readToEnd(pipes[1]));
  expect(await endOf(guest, child)).toEqual(NOTHING);
  must(await guest.close(pipes[1]));
  return output;
}

function childLaws(law: Law): void {
  law("what one child writes is what another reads, and ends when it does", async ({ guest }) => {
    const first = await spawn(
      guest,
      shell("read n; echo $n$n", { stdio: ["pipe", "pipe", "null"] }),
    );
    const stdio = [{ handle: first.pipes[1] }, "pipe", "null"] as const;
    const second = await spawn(guest, shell("read n; echo [$n]; read n || exit 6", { stdio }));
    must(await guest.close(first.pipes[1]));
    await guest.writeAll(first.pipes[0], "ab\n");
    expect(text(await guest.readToEnd(second.pipes[1]))).toBe("[abab]\n");
    expect(await endOf(guest, first.handle)).toEqual(NOTHING);
    expect(await endOf(guest, second.handle)).toEqual({ code: 6, signal: 0 });
  });

  law(
    "output and errors can be one: a child gets one handle twice",
    async ({ guest, data, files }) => {
      const log = must(await guest.open("/data/log", OPEN.WRITE | OPEN.CREATE));
      const stdio = ["null", { handle: log }, { handle: log }] as const;
      const { handle } = await spawn(guest, shell("echo out; echo err >&2; echo out", { stdio }));
      expect(await endOf(guest, handle)).toEqual(NOTHING);
      expect(await files.readText(join(data, "log"))).toBe("out\nerr\nout\n");
    },
  );
}

function inheritLaws(law: Law): void {
  law("a child writes to the stream of the host's that it inherits", async ({ child }) => {
    const [command, args] = childCommand("conformance/child.ts", [child, "inheriting"]);
    const { stdout } = await promisify(execFile)(command, args);
    expect(stdout).toBe("before\ninherited\nafter\n");
  });
}

function pipeLaws(law: Law): void {
  const pipeLaw: Law = (title, body) => law(title, body, { needs: ["SPAWN", "WAIT", "PIPE"] });

  pipeLaw("a child waits at a pipe that it is given, to read and to write", async ({ guest }) => {
    const [output, input] = await guest.pipe();
    const [result, sink] = await guest.pipe();
    const stdio = [{ handle: output }, { handle: sink }, "null"] as const;
    const { handle } = await spawn(guest, { path: CAT, args: ["cat"], stdio });
    for (const end of [output, sink]) must(await guest.close(end));
    const sent = pattern(MUCH);
    // Until there is something it has to wait, and then for room.
    await guest.roundTrip(await guest.pair());
    await guest.writeAll(input, sent.subarray(0, MUCH / 8));
    await guest.roundTrip(await guest.pair());
    const received = guest.readToEnd(result);
    await guest.writeAll(input, sent.subarray(MUCH / 8));
    must(await guest.close(input));
    expect(Buffer.compare(await received, sent)).toBe(0);
    expect(await endOf(guest, handle)).toEqual(NOTHING);
  });

  pipeLaw(
    "a guest goes on with a pipe that it has given away, and no thread waits",
    async (bench) => {
      const { guest } = bench;
      const [output, input] = await guest.pipe();
      const stdio = ["pipe", { handle: input }, "null"] as const;
      const { handle, pipes } = await spawn(guest, shell("read line; echo child", { stdio }));
      const sent = pattern(MUCH);
      const writing = guest.writeAll(input, sent);
      await guest.roundTrip(await guest.pair());
      expect(Buffer.compare(await guest.readExactly(output, MUCH), sent)).toBe(0);
      await writing;
      const reading = guest.start({ op: OP.READ, handle: output, ...guest.put("?") });
      await guest.roundTrip(await guest.pair());
      guest.cancel(reading.token);
      expect(errnoName(await reading.result)).toBe("ECANCELED");
      await guest.writeAll(pipes[0], "\n");
      expect(text(await guest.readExactly(output, 6))).toBe("child\n");
      expect(await endOf(guest, handle)).toEqual(NOTHING);
    },
  );

  pipeLaw("a pipe that cannot be given leaves it as it was", async ({ guest, backend }) => {
    const [output, input] = await guest.pipe();
    const stdio = [{ handle: output }, { handle: 1 }, "pipe"] as const;
    const open = backend.handlesOpen;
    expect(errnoName((await trySpawn(guest, shell("exit 0", { stdio }))).result)).toBe("EBADF");
    expect(backend.handlesOpen).toBe(open);
    const reading = guest.read(output, 4);
    await guest.roundTrip(await guest.pair());
    must(await guest.write(input, "here"));
    expect(text(await reading)).toBe("here");
  });
}

function socketLaws(law: Law): void {
  law("a child talks to the peer of a connection that it is given", async ({ guest }) => {
    const { client, server } = await guest.pair();
    const stdio = [{ handle: server }, { handle: server }, "null"] as const;
    const { handle } = await spawn(guest, { path: CAT, args: ["cat"], stdio });
    must(await guest.close(server));
    const sent = pattern(MUCH);
    const received = guest.readExactly(client, MUCH);
    await guest.writeAll(client, sent);
    expect(Buffer.compare(await received, sent)).toBe(0);
    must(await guest.close(client));
    expect(await endOf(guest, handle)).toEqual(NOTHING);
  });

  law(
    "a guest goes on with a socket that it has given away, and no thread waits",
    async ({ guest }) => {
      const [one, other] = await guest.socketPair(SOCKET_TYPE.STREAM);
      const stdio = ["pipe", { handle: one }, "null"] as const;
      const { handle, pipes } = await spawn(guest, shell("read line; echo child", { stdio }));
      const sent = pattern(MUCH);
      const writing = guest.writeAll(one, sent);
      const reading = guest.start({ op: OP.READ, handle: one, ...guest.put("?") });
      await guest.roundTrip(await guest.pair());
      guest.cancel(reading.token);
      expect(errnoName(await reading.result)).toBe("ECANCELED");
      expect(Buffer.compare(await guest.readExactly(other, MUCH), sent)).toBe(0);
      await writing;
      await guest.writeAll(pipes[0], "\n");
      expect(text(await guest.readExactly(other, 6))).toBe("child\n");
      expect(await endOf(guest, handle)).toEqual(NOTHING);
    },
    { needs: ["SPAWN", "WAIT", "SOCKET_PAIR"] },
  );
}
