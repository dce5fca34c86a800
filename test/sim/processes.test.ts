//! Laws of programs on simulated hosts: how they live, end and fail, and that a seed says how.

import { describe, expect, test } from "vitest";
import { OP, SIGNAL, SIGNAL_KILL } from "../../ts/abi.gen.ts";
import type { SimHost } from "../../ts/host/sim/sim-host.ts";
import type { SimProcess } from "../../ts/host/sim/sim-process.ts";
import { World, type WorldOptions } from "../../ts/host/sim/world.ts";
import { Runtime } from "../../ts/runtime/runtime.ts";
import { errnoName, type Guest, must, pattern, text } from "../conformance/guest.ts";
import {
  endOf,
  kill,
  type Program,
  putRequest,
  run,
  spawn,
  trySpawn,
  waitFor,
} from "../conformance/process-guest.ts";
import { cat } from "../conformance/sim-shell.ts";
import { guestOfFile } from "../support/guest-of-file.ts";
import { guestOn, msOf, watch, withWorld } from "./worlds.ts";

const CAT: Program = { path: "/bin/cat", args: ["cat"], stdio: ["pipe", "pipe", "null"] };
const load = guestOfFile("stdio", { command: true });

/** A guest on a host that has `cat`, and may start anything. */
async function parentOn(host: SimHost): Promise<Guest> {
  host.program("/bin/cat", cat);
  return await guestOn(host, { connect: [{}], listen: [{}], processes: true, stdio: true });
}

/** What a program does is told to the guest by its code. */
async function codeOf(guest: Guest, path: string, program: Program = {}): Promise<number> {
  return (await endOf(guest, (await spawn(guest, { path, args: [path], ...program })).handle)).code;
}

describe("a program", () => {
  test("is told its path, arguments, environment and directory", async () => {
    await withWorld({}, async (world) => {
      const host = world.host("host");
      host.disk.makeDirectory("/data/below");
      const guest = await guestOn(host, {
        processes: true,
        directories: [{ host: "/data", guest: "/data" }],
      });
      host.program("/usr/bin/told", async (process) => {
        const { pid, path, directory, environment } = process;
        const told = [pid > 0, path, process.arguments, directory, environment];
        await process.write(JSON.stringify(told));
        return 0;
      });
      const { output } = await run(guest, "", {
        path: "told",
        args: ["name", "a b", ""],
        env: ["A=1"],
        directory: "/data/below",
      });
      expect(JSON.parse(output)).toEqual([
        true,
        "/usr/bin/told",
        ["name", "a b", ""],
        "/data/below",
        { A: "1" },
      ]);
    });
  });

  test("ends with what it returns, throws or exits with", async () => {
    await withWorld({}, async (world) => {
      const host = world.host("host");
      const guest = await parentOn(host);
      host.program("/bin/code", () => 259);
      host.program("/bin/exit", async (process) => {
        process.exit(7);
        await process.write("nobody hears it");
        return 0;
      });
      host.program("/bin/throw", () => {
        throw new Error("on purpose");
      });
      expect(await codeOf(guest, "/bin/code")).toBe(3);
      expect(await codeOf(guest, "/bin/exit")).toBe(7);
      const stdio = ["null", "null", "pipe"] as const;
      const { handle, pipes } = await spawn(guest, { path: "/bin/throw", stdio });
      expect(text(await guest.readToEnd(pipes[2]))).toBe("Error: on purpose\n");
      expect((await endOf(guest, handle)).code).toBe(1);
    });
  });

  test("that writes where nobody reads is ended by SIGPIPE, unless it catches that", async () => {
    await withWorld({}, async (world) => {
      const host = world.host("host");
      const guest = await parentOn(host);
      const endless = async (process: SimProcess): Promise<number> => {
        for (;;) await process.write("y\n");
      };
      host.program("/bin/yes", endless);
      host.program("/bin/patient", (process) => endless(process).catch(() => 5));
      for (const [path, end] of [
        ["/bin/yes", { code: -1, signal: 13 }],
        ["/bin/patient", { code: 5, signal: 0 }],
      ] as const) {
        const { handle, pipes } = await spawn(guest, { path, stdio: ["null", "pipe", "null"] });
        await guest.readExactly(pipes[1], 1000);
        must(await guest.close(pipes[1]));
        expect(await endOf(guest, handle)).toEqual(end);
      }
    });
  });

  test("that closes its streams is read to the end while it goes on", async () => {
    await withWorld({}, async (world) => {
      const host = world.host("host");
      const guest = await parentOn(host);
      host.program("/bin/daemon", async (process) => {
        await process.write("here");
        process.close(1);
        await process.sleep(1000);
        return 0;
      });
      const stdio = ["null", "pipe", "null"] as const;
      const { handle, pipes } = await spawn(guest, { path: "/bin/daemon", stdio });
      expect(text(await guest.readToEnd(pipes[1]))).toBe("here");
      expect(host.processes.map(({ path }) => path)).toEqual(["/bin/daemon"]);
      expect(await msOf(world, () => endOf(guest, handle))).toBeGreaterThan(990);
      expect(host.processes).toEqual([]);
    });
  });

  test("may be a guest, with the process's streams and its end", async () => {
    await withWorld({}, async (world) => {
      const host = world.host("host");
      const module = await WebAssembly.compile((await load()).wasm);
      const parent = await parentOn(host);
      host.program("/bin/copy", async (process) => {
        const grants = { stdio: true } as const;
        const options = { backend: process, grants, args: [...process.arguments] };
        await using runtime = await world.hold(Runtime.create(module, options));
        return await runtime.run();
      });
      const copy: Program = { ...CAT, path: "/bin/copy", args: ["copy"] };
      const first = await spawn(parent, copy);
      const sent = pattern(300_000);
      const writing = parent
        .writeAll(first.pipes[0], sent)
        .then(() => parent.close(first.pipes[0]));
      expect(Buffer.compare(await parent.readToEnd(first.pipes[1]), sent)).toBe(0);
      expect(await writing).toBe(0);
      expect(await endOf(parent, first.handle)).toEqual({ code: 0, signal: 0 });

      const second = await spawn(parent, copy);
      await parent.writeAll(second.pipes[0], "hello");
      expect(text(await parent.readExactly(second.pipes[1], 5))).toBe("hello");
      expect(await kill(parent, second.handle, SIGNAL_KILL)).toBe(0);
      expect(await endOf(parent, second.handle)).toEqual({ code: -1, signal: 9 });
      expect(await parent.read(second.pipes[1], 1)).toHaveLength(0);
    });
  });

  test("handles signals as it says, one after the other", async () => {
    await withWorld({}, async (world) => {
      const host = world.host("host");
      const guest = await parentOn(host);
      host.program("/bin/handles", async (process) => {
        let seen = "";
        process.onSignal("SIGUSR1", () => {
          seen += "1";
        });
        process.onSignal("SIGHUP", "ignore");
        process.onSignal("SIGTERM", () => process.exit(seen.length));
        await process.write("ready\n");
        await process.sleep(3_600_000);
        return 99;
      });
      const stdio = ["null", "pipe", "null"] as const;
      const { handle, pipes } = await spawn(guest, { path: "/bin/handles", stdio });
      await guest.readExactly(pipes[1], 6);
      for (const signal of [SIGNAL.USER1, SIGNAL.HANGUP, SIGNAL.WINDOW, SIGNAL.USER1])
        expect(await kill(guest, handle, signal)).toBe(0);
      expect(await kill(guest, handle, SIGNAL.TERMINATE)).toBe(0);
      expect(await endOf(guest, handle)).toEqual({ code: 2, signal: 0 });
    });
  });

  test("that has ended can do nothing more", async () => {
    await withWorld({}, async (world) => {
      const host = world.host("host");
      const guest = await parentOn(host);
      const failures: string[] = [];
      host.program("/bin/lives", async (process) => {
        const tried = [process.read(), process.sleep(1000)];
        for (const { reason } of (await Promise.allSettled(tried)) as PromiseRejectedResult[])
          failures.push(reason.errno);
        await process.write("more").catch((error) => failures.push(error.errno));
        return 0;
      });
      const child = await spawn(guest, { ...CAT, path: "/bin/lives" });
      expect(await kill(guest, child.handle, SIGNAL.TERMINATE)).toBe(0);
      expect(await endOf(guest, child.handle)).toEqual({ code: -1, signal: 15 });
      expect(failures).toEqual(["ESRCH", "ESRCH", "ESRCH"]);
    });
  });

  test("has an absolute path", () => {
    const host = new World().host("host");
    for (const path of ["", "sh", "/", "/bin/", "bin/sh", "/a\0"])
      expect(() => host.program(path, () => 0)).toThrow(TypeError);
  });

  test("is what a script on the disk names, with the script's path", async () => {
    await withWorld({}, async (world) => {
      const host = world.host("host");
      const guest = await parentOn(host);
      host.program("/bin/tell", async (process) => {
        await process.write(process.arguments.join("|"));
        return 0;
      });
      host.disk.writeFile("/opt/script", "#!/bin/tell -x\nrest\n", 0o755);
      host.disk.makeDirectory("/bin");
      host.disk.makeLink("/bin/tell", "/bin/link");
      const { output } = await run(guest, "", { path: "/opt/script", args: ["s", "one"] });
      expect(output).toBe("/bin/tell|-x|/opt/script|one");
      expect((await run(guest, "", { path: "link", args: ["s"] })).output).toBe("s");
      host.disk.writeFile("/opt/binary", "\x7fELF", 0o755);
      expect(errnoName((await trySpawn(guest, { path: "/opt/binary" })).result)).toBe("ENOEXEC");
    });
  });
});

describe("the end of a host", () => {
  for (const how of ["crash", "kill"] as const) {
    test(`by ${how} ends its programs, and nothing of them goes on`, async () => {
      await withWorld({}, async (world) => {
        const host = world.host("host");
        const guest = await parentOn(host);
        let went = false;
        host.program("/bin/sleep", async (process) => {
          await process.sleep(10_000);
          went = true;
          return 0;
        });
        await spawn(guest, { path: "/bin/sleep" });
        await spawn(guest, CAT);
        const events = watch(world);
        host[how]();
        expect(host.processes).toEqual([]);
        const ends = events.filter(({ type }) => type === "exit");
        expect(ends).toMatchObject([{ signal: 9 }, { signal: 9 }]);
        await world.whenQuiescent();
        expect(went).toBe(false);
        host.restart();
        const next = await parentOn(host);
        expect(await codeOf(next, "/bin/cat")).toBe(0);
      });
    });
  }

  test("a runtime that ends kills its children, and not those of others", async () => {
    await withWorld({}, async (world) => {
      const host = world.host("host");
      const [one, other] = [await parentOn(host), await parentOn(host)];
      await spawn(one, CAT);
      const kept = await spawn(other, CAT);
      await one.backend[Symbol.asyncDispose]();
      expect(host.processes).toHaveLength(1);
      must(await other.close(kept.pipes[0]));
      expect(await endOf(other, kept.handle)).toEqual({ code: 0, signal: 0 });
    });
  });
});

describe("time and chance", () => {
  test("a SPAWN takes its time, and until then a cancel undoes it", async () => {
    await withWorld({ processes: { startMs: 100 } }, async (world) => {
      const guest = await parentOn(world.host("host"));
      expect(await msOf(world, () => spawn(guest, CAT))).toBeGreaterThanOrEqual(100);
      const started = guest.start({ op: OP.SPAWN, pointer: putRequest(guest, CAT) });
      guest.turn();
      guest.cancel(started.token);
      expect(errnoName(await started.result)).toBe("ECANCELED");
      expect(world.host("host").processes).toHaveLength(1);
    });
  });

  test("SPAWNs fail with EAGAIN as often as they are to, and start nothing", async () => {
    await withWorld({ processes: { spawnFailures: 0.5 } }, async (world) => {
      const host = world.host("host");
      const guest = await parentOn(host);
      const faults = watch(world);
      let failed = 0;
      for (let count = 0; count < 40; count++) {
        const { result } = await trySpawn(guest, CAT);
        if (result >= 0) continue;
        expect(errnoName(result)).toBe("EAGAIN");
        failed++;
      }
      expect(failed).toBeGreaterThan(5);
      expect(host.processes).toHaveLength(40 - failed);
      expect(faults.filter(({ type }) => type === "fault")).toHaveLength(failed);
    });
  });

  test("a program that never waits holds nobody up", async () => {
    await withWorld({}, async (world) => {
      const host = world.host("host");
      const guest = await parentOn(host);
      host.program("/bin/spin", async (process) => {
        while (!process.ended) await process.read();
        return 0;
      });
      const { handle } = await spawn(guest, { path: "/bin/spin" });
      await guest.roundTrip(await guest.pair());
      const waiting = waitFor(guest, handle);
      expect(await kill(guest, handle, SIGNAL.TERMINATE)).toBe(0);
      expect(await waiting.result).toBe(0);
    });
  });

  test("the same seed gives the same history, whatever the programs do", async () => {
    const [first, again, other] = [
      await history("one"),
      await history("one"),
      await history("two"),
    ];
    expect(again).toEqual(first);
    expect(other.trace).not.toEqual(first.trace);
    expect(first.trace.filter((line) => / exec /.test(line)).length).toBeGreaterThan(3);
  });
});

/** Pipelines of cats, a guest among them, in chaos. */
async function history(seed: string): Promise<{ trace: string[]; ends: string[] }> {
  const options: WorldOptions = { seed, preset: "chaos", trace: true };
  return await withWorld(options, async (world) => {
    const host = world.host("host");
    const guest = await parentOn(host);
    const module = await WebAssembly.compile((await load()).wasm);
    host.program("/bin/copy", async (process) => {
      const created = Runtime.create(module, { backend: process, grants: { stdio: true } });
      await using runtime = await world.hold(created);
      return await runtime.run();
    });
    const ends: string[] = [];
    for (let round = 0; round < 6; round++) {
      const first = await trySpawn(guest, CAT);
      if (first.result < 0) continue;
      const path = round % 2 === 0 ? "/bin/copy" : "/bin/cat";
      const stdio = [{ handle: first.pipes[1] }, "pipe", "null"] as const;
      const second = await trySpawn(guest, { path, stdio });
      must(await guest.close(first.pipes[1]));
      await guest.write(first.pipes[0], `round ${round}`);
      if (round === 4) await kill(guest, first.handle, SIGNAL_KILL);
      await guest.close(first.pipes[0]);
      if (second.result >= 0) ends.push(text(await guest.readToEnd(second.pipes[1])));
      ends.push(JSON.stringify(await endOf(guest, first.handle)));
    }
    return { trace: [...world.trace], ends };
  });
}
