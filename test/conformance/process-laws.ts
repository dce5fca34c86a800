//! Laws of child processes: how they are started, end, are waited for and get signals.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { OP, OPEN, SIGNAL, SIGNAL_KILL } from "../../ts/abi.gen.ts";
import type { Law } from "./backend-conformance.ts";
import { errnoName, Guest, must, pattern, text } from "./guest.ts";
import {
  CAT,
  endOf,
  firstLine,
  kill,
  lawOfProcesses,
  MISSING,
  type Program,
  putRequest,
  run,
  SHELL,
  shell,
  spawn,
  trySpawn,
  waitFor,
} from "./process-guest.ts";

/** Says its number, and goes on until it is killed or its input ends. */
const LIVES = "echo $$; read line; exit 3";
const LIVES_ON: Program = shell(LIVES, { stdio: ["pipe", "pipe", "null"] });

const CHILDREN = 100;
const MUCH = 1024 * 1024;
const SIGTERM = 15;
const SIGKILL = 9;

export function processLaws(law: Law): void {
  const processLaw = lawOfProcesses(law, { programs: [SHELL, CAT, MISSING], environment: true }, [
    "SPAWN",
    "WAIT",
    "KILL",
  ]);
  endLaws(processLaw);
  streamLaws(processLaw);
  surroundingLaws(processLaw);
  waitLaws(processLaw);
  killLaws(processLaw);
  lifeLaws(processLaw);
  cancelLaws(processLaw);
}

function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

function endLaws(law: Law): void {
  law("WAIT tells the code that a child exits with", async ({ guest }) => {
    for (const code of [0, 1, 42, 255]) {
      expect(await run(guest, `exit ${code}`)).toEqual({ output: "", code, signal: 0 });
    }
  });

  law("WAIT tells the signal that ends a child", async ({ guest }) => {
    expect(await run(guest, "kill -TERM $$")).toEqual({ output: "", code: -1, signal: SIGTERM });
  });

  law("WAIT may be asked again, by several at once", async ({ guest }) => {
    const { handle, pipes } = await spawn(guest, LIVES_ON);
    const waiting = [waitFor(guest, handle), waitFor(guest, handle)];
    await guest.roundTrip(await guest.pair());
    must(await guest.close(pipes[0]));
    for (const { result, end } of waiting) {
      expect(await result).toBe(0);
      expect(end()).toEqual({ code: 3, signal: 0 });
    }
    expect(await endOf(guest, handle)).toEqual({ code: 3, signal: 0 });
  });
}

function streamLaws(law: Law): void {
  law("a child's streams are pipes to the guest, and end with it", async ({ guest }) => {
    const script = 'read line; echo "got $line"; echo "and this" >&2';
    const { handle, pipes } = await spawn(
      guest,
      shell(script, { stdio: ["pipe", "pipe", "pipe"] }),
    );
    await guest.writeAll(pipes[0], "a line\n");
    expect(text(await guest.readToEnd(pipes[1]))).toBe("got a line\n");
    expect(text(await guest.readToEnd(pipes[2]))).toBe("and this\n");
    expect(await endOf(guest, handle)).toEqual({ code: 0, signal: 0 });
    expect(errnoName(await guest.write(pipes[0], "nobody reads"))).toBe("EPIPE");
  });

  law("a null stream has nothing to read, and takes what is written", async ({ guest }) => {
    const script = "read line; echo lost; echo lost >&2; exit 5";
    const { handle } = await spawn(guest, shell(script));
    expect(await endOf(guest, handle)).toEqual({ code: 5, signal: 0 });
  });

  law("1 MiB goes through a child's pipes whole, and in order", async ({ guest }) => {
    const { handle, pipes } = await spawn(guest, {
      path: CAT,
      args: ["cat"],
      stdio: ["pipe", "pipe", "null"],
    });
    const sent = pattern(MUCH);
    const writing = guest.writeAll(pipes[0], sent).then(() => guest.close(pipes[0]));
    const received = await guest.readToEnd(pipes[1]);
    expect(await writing).toBe(0);
    expect(Buffer.compare(received, sent)).toBe(0);
    expect(await endOf(guest, handle)).toEqual({ code: 0, signal: 0 });
  });

  law("a child reads and writes files that the guest has open", async ({ guest, files, data }) => {
    await files.write(join(data, "in"), "from a file");
    const input = must(await guest.open("/data/in", OPEN.READ));
    const output = must(await guest.open("/data/out", OPEN.WRITE | OPEN.CREATE));
    const stdio = [{ handle: input }, { handle: output }, "null"] as const;
    const { handle, pipes } = await spawn(guest, { path: CAT, args: ["cat"], stdio });
    expect(await endOf(guest, handle)).toEqual({ code: 0, signal: 0 });
    expect(pipes).toEqual([input, output, -1]);
    expect(await files.readText(join(data, "out"))).toBe("from a file");
    must(await guest.close(input));
  });

  law("the host's own streams need a grant: -ENOTCAPABLE", async ({ guest }) => {
    const { result } = await trySpawn(guest, { stdio: ["null", "inherit", "null"] });
    expect(errnoName(result)).toBe("ENOTCAPABLE");
  });
}

function surroundingLaws(law: Law): void {
  law("a child's arguments are those that the guest gives", async ({ guest }) => {
    const script = 'echo "$0|$1|$2|$#"';
    const args = ["zero", "-c", script, "name", "with space", ""];
    expect((await run(guest, "", { args })).output).toBe("name|with space||2\n");
  });

  law("a child's environment is what the guest gives, and nothing else", async ({ guest }) => {
    const path = "PATH=/usr/bin:/bin";
    expect((await run(guest, "env | sort", { env: [path, "A=b=c", "EMPTY="] })).output).toContain(
      "A=b=c\nEMPTY=\n",
    );
    const { output } = await run(guest, "export -p");
    expect(output).not.toMatch(/^export (HOME|NODE)/m);
  });

  law("a child starts in the directory that the guest names", async (bench) => {
    const { guest, data, files, setting } = bench;
    await files.makeDirectory(join(data, "below"));
    expect((await run(guest, "pwd -P", { directory: "/data/below" })).output).toBe(
      `${join(data, "below")}\n`,
    );
    expect((await run(guest, "pwd -P")).output).toBe(`${setting.processes.directory}\n`);
  });

  law("SPAWN in a directory that is missing, or none, or not granted fails", async (bench) => {
    const { guest, data, files, outside } = bench;
    await files.write(join(data, "file"), "");
    await files.makeLink(outside, join(data, "out"));
    const spawnIn = async (directory: string): Promise<string> =>
      errnoName((await trySpawn(guest, { directory })).result);
    expect(await spawnIn("/data/missing")).toBe("ENOENT");
    expect(await spawnIn("/data/file")).toBe("ENOTDIR");
    expect(await spawnIn("/data/file/x")).toBe("ENOTDIR");
    expect(await spawnIn("/data/..")).toBe("ENOTCAPABLE");
    expect(await spawnIn("/data/out")).toBe("ENOTCAPABLE");
    expect(await spawnIn("/")).toBe("ENOTCAPABLE");
    expect(guest.backend.handlesOpen).toBe(0);
  });

  law(
    "a child has no descriptor but its streams, no blocked signal and no ignored one",
    async ({ guest, data, files }) => {
      await files.write(join(data, "file"), "");
      must(await guest.open("/data/file", OPEN.READ));
      await guest.pair();
      const script = `i=3; while [ $i -lt 200 ]; do
        if [ -e /proc/$$/fd/$i ]; then echo $i; fi; i=$((i+1)); done`;
      expect((await run(guest, script)).output).toBe("");
      const status = "while read -r line; do case $line in Sig[BI]*) echo $line;; esac; done";
      expect((await run(guest, `${status} </proc/$$/status`)).output).toMatch(
        /^SigBlk: 0+\nSigIgn: 0+\n$/,
      );
    },
    { skip: process.platform === "linux" ? undefined : "looks into /proc" },
  );

  law(
    "children leave no descriptor behind in the host, started or not",
    async ({ guest, backend }) => {
      const stdio = ["pipe", "pipe", "pipe"] as const;
      const round = async (): Promise<number> => {
        expect((await trySpawn(guest, { path: MISSING, stdio })).result).toBeLessThan(0);
        expect((await trySpawn(guest, { directory: "/data/missing", stdio })).result).toBeLessThan(
          0,
        );
        const { handle, pipes } = await spawn(guest, shell("exit 0", { stdio }));
        for (const pipe of [handle, ...pipes]) must(await guest.close(pipe));
        while (backend.pending > 0 || openDescriptors() > most)
          await new Promise((resolve) => setImmediate(resolve));
        return openDescriptors();
      };
      let most = Number.POSITIVE_INFINITY;
      must(await guest.close((await spawn(guest, LIVES_ON)).handle));
      // What a first child needs for good is there by now.
      most = openDescriptors();
      for (let index = 0; index < 4; index++) expect(await round()).toBeLessThanOrEqual(most);
    },
    { skip: process.platform === "linux" ? undefined : "looks into /proc" },
  );

  law("SPAWN of what is no program fails, with the reason of the system", async (bench) => {
    const { guest, open, data, files } = bench;
    const plain = join(data, "plain");
    const broken = join(data, "broken");
    await files.write(plain, "#!/bin/sh\nexit 0\n", 0o644);
    await files.write(broken, "#!/nowhere/interpreter\n", 0o755);
    expect(errnoName((await trySpawn(guest, { path: MISSING })).result)).toBe("ENOENT");
    const programs = [plain, broken, data, join(plain, "x")];
    await using other = await open({ grants: { processes: { programs } }, handlesMax: 8 });
    const second = new Guest(other);
    const failure = async (path: string): Promise<string> =>
      errnoName((await trySpawn(second, { path, stdio: ["pipe", "pipe", "pipe"] })).result);
    expect(await failure(plain)).toBe("EACCES");
    expect(await failure(broken)).toBe("ENOENT");
    expect(await failure(data)).toBe("EACCES");
    expect(await failure(join(plain, "x"))).toBe("ENOTDIR");
    expect(second.backend.handlesOpen).toBe(0);
  });

  law("SPAWN of a file that is no program gives -ENOEXEC", async ({ open, files, data }) => {
    const file = join(data, "broken.exe");
    await files.write(file, "\0this is no program\n", 0o755);
    await using backend = await open({
      grants: { processes: { programs: [file] } },
      handlesMax: 8,
    });
    const guest = new Guest(backend);
    const stdio = ["pipe", "pipe", "pipe"] as const;
    expect(errnoName((await trySpawn(guest, { path: file, stdio })).result)).toBe("ENOEXEC");
    expect(backend.handlesOpen).toBe(0);
  });

  law("SPAWN of too many arguments gives -E2BIG", async ({ guest }) => {
    const big = "x".repeat(1024 * 1024);
    const { result } = await trySpawn(guest, { args: ["sh", big, big, big] });
    expect(errnoName(result)).toBe("E2BIG");
    const long = await trySpawn(guest, { args: ["sh", "y".repeat(200 * 1024)] });
    expect(["E2BIG", "0"]).toContain(errnoName(Math.min(0, long.result)));
  });
}

function waitLaws(law: Law): void {
  law(
    "a canceled WAIT leaves its child running, and can be asked again",
    async ({ guest, setting }) => {
      const { handle, pipes } = await spawn(guest, LIVES_ON);
      const pid = Number(await firstLine(guest, pipes[1]));
      const waiting = waitFor(guest, handle);
      await guest.roundTrip(await guest.pair());
      guest.cancel(waiting.token);
      expect(errnoName(await waiting.result)).toBe("ECANCELED");
      expect(setting.processes.exists(pid)).toBe(true);
      must(await guest.close(pipes[0]));
      expect(await endOf(guest, handle)).toEqual({ code: 3, signal: 0 });
    },
  );

  law("CLOSE of a process ends the WAITs on it with -EBADF", async ({ guest }) => {
    const { handle, pipes } = await spawn(guest, LIVES_ON);
    const waiting = [waitFor(guest, handle), waitFor(guest, handle)];
    await guest.roundTrip(await guest.pair());
    expect(await guest.close(handle)).toBe(0);
    for (const { result } of waiting) expect(errnoName(await result)).toBe("EBADF");
    must(await guest.close(pipes[0]));
  });

  law("WAIT leaves no process behind, waited for or not", async ({ guest, setting }) => {
    const { handle, pipes } = await spawn(guest, LIVES_ON);
    const pid = Number(await firstLine(guest, pipes[1]));
    must(await guest.close(pipes[0]));
    await endOf(guest, handle);
    expect(setting.processes.exists(pid)).toBe(false);
  });

  law(
    "a child whose handle is closed goes on, and is reaped when it ends",
    async ({ guest, setting }) => {
      const { handle, pipes } = await spawn(guest, LIVES_ON);
      const pid = Number(await firstLine(guest, pipes[1]));
      must(await guest.close(handle));
      await guest.roundTrip(await guest.pair());
      expect(setting.processes.exists(pid)).toBe(true);
      expect(guest.backend.pending).toBe(0);
      must(await guest.close(pipes[0]));
      while (setting.processes.exists(pid)) await new Promise((resolve) => setImmediate(resolve));
    },
  );
}

function killLaws(law: Law): void {
  law("KILL sends a signal, which ends the child or not", async ({ guest }) => {
    const trap = 'trap "echo caught; exit 7" USR1; echo $$; while :; do read line; done';
    const { handle, pipes } = await spawn(guest, shell(trap, { stdio: ["pipe", "pipe", "null"] }));
    await firstLine(guest, pipes[1]);
    expect(await kill(guest, handle, SIGNAL.WINDOW)).toBe(0);
    expect(await kill(guest, handle, SIGNAL.USER1)).toBe(0);
    must(await guest.close(pipes[0]));
    expect(await firstLine(guest, pipes[1])).toBe("caught");
    expect(await endOf(guest, handle)).toEqual({ code: 7, signal: 0 });
  });

  for (const [name, kind, signal] of [
    ["TERMINATE", SIGNAL.TERMINATE, SIGTERM],
    ["INTERRUPT", SIGNAL.INTERRUPT, 2],
    ["HANGUP", SIGNAL.HANGUP, 1],
    ["QUIT", SIGNAL.QUIT, 3],
    ["KILL", SIGNAL_KILL, SIGKILL],
  ] as const) {
    law(`KILL with ${name} ends a child that does nothing about it`, async ({ guest }) => {
      const { handle, pipes } = await spawn(guest, LIVES_ON);
      await firstLine(guest, pipes[1]);
      const waiting = waitFor(guest, handle);
      await guest.roundTrip(await guest.pair());
      expect(await kill(guest, handle, kind)).toBe(0);
      expect(await waiting.result).toBe(0);
      expect(waiting.end()).toEqual({ code: -1, signal });
    });
  }

  law("KILL after the end gives -ESRCH, of no signal -EINVAL", async ({ guest }) => {
    const { handle, pipes } = await spawn(guest, LIVES_ON);
    await firstLine(guest, pipes[1]);
    for (const none of [0, 8, 9, 15, 31, 33, 0xffff_ffff])
      expect(errnoName(await kill(guest, handle, none))).toBe("EINVAL");
    must(await guest.close(pipes[0]));
    await endOf(guest, handle);
    expect(errnoName(await kill(guest, handle, SIGNAL.TERMINATE))).toBe("ESRCH");
    expect(errnoName(await kill(guest, handle, SIGNAL_KILL))).toBe("ESRCH");
  });

  law("a process has no other operation, and other handles are no processes", async ({ guest }) => {
    const { handle, pipes } = await spawn(guest, LIVES_ON);
    const one = { handle, ...guest.put("?") };
    for (const op of [OP.READ, OP.WRITE, OP.PREAD, OP.FSYNC, OP.SHUTDOWN, OP.ACCEPT])
      expect(errnoName(await guest.submit({ op, ...one }))).toBe("ENOTSUP");
    const file = must(await guest.open("/data/file", OPEN.WRITE | OPEN.CREATE));
    const { client, listener } = await guest.pair();
    for (const other of [file, client, listener, pipes[0]]) {
      expect(errnoName(await kill(guest, other, SIGNAL.TERMINATE))).toBe("EINVAL");
      expect(errnoName(await waitFor(guest, other).result)).toBe("EINVAL");
    }
  });
}

function lifeLaws(law: Law): void {
  law("a disposed backend has killed and reaped its children", async ({ open, setting }) => {
    const programs = { programs: [SHELL] };
    const backend = await open({ grants: { processes: programs }, handlesMax: 16 });
    const guest = new Guest(backend);
    const kept = await spawn(guest, LIVES_ON);
    const closed = await spawn(guest, LIVES_ON);
    const stubborn = await spawn(
      guest,
      shell(`trap "" TERM HUP INT; ${LIVES}`, { stdio: ["pipe", "pipe", "null"] }),
    );
    const pids: number[] = [];
    for (const { pipes } of [kept, closed, stubborn])
      pids.push(Number(await firstLine(guest, pipes[1])));
    must(await guest.close(closed.handle));
    waitFor(guest, kept.handle);
    guest.turn();
    guest.automatic = false;
    await backend[Symbol.asyncDispose]();
    expect(pids.map(setting.processes.exists)).toEqual([false, false, false]);
  });

  law(`${CHILDREN} children live at once, and each ends with its own code`, async ({ guest }) => {
    const children = await Promise.all(
      Array.from({ length: CHILDREN }, (_, index) =>
        spawn(guest, shell(`read line; exit ${index}`, { stdio: ["pipe", "null", "null"] })),
      ),
    );
    const waiting = children.map(({ handle }) => waitFor(guest, handle));
    for (const { pipes } of children) must(await guest.close(pipes[0]));
    const results = await Promise.all(waiting.map(({ result }) => result));
    expect(results).toEqual(children.map(() => 0));
    expect(waiting.map(({ end }) => end().code)).toEqual(children.map((_, index) => index));
  });

  law(
    "SPAWN without room for its handles starts nothing: -EMFILE",
    async ({ guest, backend, files, data }) => {
      const marker = join(data, "started");
      const script = shell(`: > ${marker}`, { stdio: ["pipe", "pipe", "pipe"] });
      expect(errnoName((await trySpawn(guest, script)).result)).toBe("EMFILE");
      expect(backend.handlesOpen).toBe(0);
      const { handle } = await spawn(guest, shell("exit 0"));
      await endOf(guest, handle);
      expect(await files.list(data)).toEqual([]);
    },
    { handlesMax: 3 },
  );

  law(
    "a guest that closes the handles of what goes on cannot start any number: -EAGAIN",
    async ({ guest }) => {
      const inputs: number[] = [];
      let result = 0;
      for (let count = 0; count < 9 && result >= 0; count++) {
        const child = await trySpawn(guest, shell("kill -STOP $$"));
        result = child.result;
        if (result >= 0) inputs.push(await guest.close(child.handle));
      }
      expect(errnoName(result)).toBe("EAGAIN");
      expect(inputs).toHaveLength(8);
    },
    { handlesMax: 8 },
  );
}

function cancelLaws(law: Law): void {
  law("a SPAWN that is canceled starts its child or does not, and says which", async (bench) => {
    const { guest, backend } = bench;
    for (let round = 0; round < 8; round++) {
      const pointer = putRequest(guest, shell("exit 9"));
      const started = guest.start({ op: OP.SPAWN, pointer });
      if (round % 2 === 0) guest.turn();
      guest.cancel(started.token);
      const result = await started.result;
      if (result < 0) {
        expect(errnoName(result)).toBe("ECANCELED");
        continue;
      }
      expect(await endOf(guest, result)).toEqual({ code: 9, signal: 0 });
      must(await guest.close(result));
    }
    expect(backend.handlesOpen).toBe(0);
  });
}
