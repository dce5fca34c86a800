//! The scenes of the exchange on child processes, and the operations that each needs.

import { EXIT_STATUS, OP, PROCESS_STREAM, SIGNAL, SIGNAL_KILL } from "../../ts/abi.gen.ts";
import type { Recorder } from "./exchange.ts";
import type { LocalScene } from "./exchange-local.ts";
import { CAT, MISSING, type Program, putRequest, shell, streamAt } from "./process-guest.ts";

const CAT_PIPED: Program = { path: CAT, args: ["cat"], stdio: ["pipe", "pipe", "null"] };

export const PROCESS_SCENES: Readonly<Record<string, LocalScene>> = {
  "a child process": {
    needs: ["SPAWN", "WAIT", "KILL"],
    async play(r) {
      const { child, pipes } = await spawn(r, "SPAWN", CAT_PIPED);
      await r.write("WRITE to a child", pipes[0], "hello, child");
      await r.read("READ from it", pipes[1]);
      await r.read("READ of its input", pipes[0]);
      await r.write("WRITE to its output", pipes[1], "x");
      await r.op("FSYNC of a process", { op: OP.FSYNC, handle: child });
      await r.close("CLOSE of its input", pipes[0]);
      await r.read("READ at its end", pipes[1]);
      await wait(r, "WAIT", child);
      await wait(r, "WAIT again", child);
      await kill(r, "KILL after the end", child, SIGNAL.TERMINATE);
      const killed = await spawn(r, "SPAWN of one to be killed", CAT_PIPED);
      await kill(r, "KILL with no signal", killed.child, 0);
      await kill(r, "KILL", killed.child, SIGNAL_KILL);
      await wait(r, "WAIT of what was killed", killed.child);
      await r.write("WRITE to nobody", killed.pipes[0], "lost");
      await r.read("READ from nobody", killed.pipes[1]);
      const coded = await spawn(r, "SPAWN of one with a code", shell("exit 300"));
      await wait(r, "WAIT for its code", coded.child);
      await spawn(r, "SPAWN of nothing", { path: MISSING });
      await spawn(r, "SPAWN without a grant", { path: "/bin/other" });
      await spawn(r, "SPAWN of a relative path", { path: "bin/sh" });
      await spawn(r, "SPAWN where nothing is", { directory: "/data/missing" });
      await spawn(r, "SPAWN with a stream of the host's", { stdio: ["inherit", "null", "null"] });
      await spawn(r, "SPAWN with a forged handle", { stdio: [{ handle: 1 }, "null", "null"] });
    },
  },

  "a process pipeline": {
    needs: ["SPAWN", "WAIT", "PIPE"],
    async play(r) {
      const [output, input] = await r.guest.pipe();
      const first = await spawn(r, "SPAWN into a pipe", {
        ...CAT_PIPED,
        stdio: ["pipe", { handle: input }, "null"],
      });
      const second = await spawn(r, "SPAWN from a pipe", {
        ...CAT_PIPED,
        stdio: [{ handle: output }, "pipe", "null"],
      });
      await r.close("CLOSE of the end to write", input);
      await r.close("CLOSE of the end to read", output);
      await r.write("WRITE into the pipeline", first.pipes[0], "through two");
      await r.read("READ out of it", second.pipes[1]);
      await r.close("CLOSE of its input", first.pipes[0]);
      await r.read("READ at the end of the pipeline", second.pipes[1]);
      await wait(r, "WAIT for the first", first.child);
      await wait(r, "WAIT for the second", second.child);
    },
  },
};

async function spawn(
  r: Recorder,
  title: string,
  program: Program,
): Promise<{ child: number; pipes: readonly [number, number] }> {
  const pointer = putRequest(r.guest, program);
  const child = await r.op(title, { op: OP.SPAWN, pointer });
  const handleOf = (number: number): number =>
    r.guest.view.getInt32(streamAt(pointer, number) + PROCESS_STREAM.handle, true);
  const pipes = [handleOf(0), handleOf(1)] as const;
  if (child >= 0) r.adopt(pipes.filter((handle) => handle >= 0));
  return { child, pipes };
}

async function wait(r: Recorder, title: string, handle: number): Promise<void> {
  const pointer = r.guest.alloc(EXIT_STATUS.size);
  await r.op(title, { op: OP.WAIT, handle, pointer });
  const { view } = r.guest;
  const code = view.getInt32(pointer + EXIT_STATUS.code, true);
  r.note(`${title}, how`, `${code} ${view.getUint32(pointer + EXIT_STATUS.signal, true)}`);
}

async function kill(r: Recorder, title: string, handle: number, argument: number): Promise<void> {
  await r.op(title, { op: OP.KILL, handle, argument });
}
