//! Laws of what a guest may start, and with what; also against one that is hostile.

import { join } from "node:path";
import { expect } from "vitest";
import { OP, OPEN, PROCESS_REQUEST, PROCESS_STREAM } from "../../ts/abi.gen.ts";
import type { ProcessGrant } from "../../ts/host/backend.ts";
import type { Law } from "./backend-conformance.ts";
import { errnoName, Guest, must } from "./guest.ts";
import {
  CAT,
  endOf,
  lawOfProcesses,
  processGrants,
  putRequest,
  run,
  SHELL,
  shell,
  spawn,
  streamAt,
  trySpawn,
} from "./process-guest.ts";

export function processGrantLaws(law: Law): void {
  const processes = { programs: [SHELL, CAT], environment: ["NAME", "OTHER"] };
  const processLaw = lawOfProcesses(law, processes);
  programLaws(processLaw);
  environmentLaws(processLaw);
  hostileLaws(processLaw);
}

function programLaws(law: Law): void {
  law(
    "a guest that is granted no program starts none: -ENOTCAPABLE",
    async ({ guest }) => {
      for (const path of [SHELL, "sh", "/nowhere", "."])
        expect(errnoName((await trySpawn(guest, { path })).result)).toBe("ENOTCAPABLE");
    },
    { grants: processGrants(undefined) },
  );

  law("a guest starts the programs that it is granted, and no other", async ({ guest }) => {
    const start = async (path: string): Promise<string> => {
      const { result } = await trySpawn(guest, { path, args: ["sh", "-c", "exit 4"] });
      if (result < 0) return errnoName(result);
      const { code } = await endOf(guest, result);
      must(await guest.close(result));
      return String(code);
    };
    expect(await start(SHELL)).toBe("4");
    expect(await start("sh")).toBe("4");
    for (const path of ["/usr/bin/env", "env", "/bin/", "//bin/sh", "/bin/../bin/sh", "/bin/sh/"])
      expect(await start(path)).toBe("ENOTCAPABLE");
    for (const path of ["bin/sh", "./sh", "../sh"]) expect(await start(path)).toBe("EINVAL");
    expect(await start("")).toBe("ENOENT");
  });

  law(
    "a guest that may start any program finds it in the host's PATH",
    async ({ guest }) => {
      const { handle } = await spawn(guest, shell("exit 4", { path: "sh" }));
      expect(await endOf(guest, handle)).toEqual({ code: 4, signal: 0 });
      const missing = await trySpawn(guest, { path: "no-such-program-anywhere" });
      expect(errnoName(missing.result)).toBe("ENOENT");
      expect((await run(guest, "echo $ANY", { env: ["ANY=thing"] })).output).toBe("thing\n");
    },
    { grants: processGrants(true) },
  );

  law("a grant that names no program is refused", async ({ open }) => {
    const refuses = (processes: ProcessGrant) =>
      expect(open({ grants: { processes }, handlesMax: 1 })).rejects.toThrow(/process grant/);
    for (const program of ["", "sh", "/bin/", "/", "/bin/s\0h"])
      await refuses({ programs: [program] });
    for (const name of ["", "A=B", "A\0"]) await refuses({ programs: [], environment: [name] });
  });
}

function environmentLaws(law: Law): void {
  law("a guest gives the variables that it is granted, and no other", async ({ guest }) => {
    const given = async (env: readonly string[]): Promise<string> => {
      const { result } = await trySpawn(guest, shell("exit 0", { env }));
      if (result >= 0) must(await guest.close(result));
      return errnoName(Math.min(0, result));
    };
    expect(await given([])).toBe("0");
    expect(await given(["NAME=1", "OTHER="])).toBe("0");
    for (const entry of ["LD_PRELOAD=/data/evil.so", "NAM=", "NAMED=1", "PATH=/data", " NAME=1"])
      expect(await given(["NAME=1", entry])).toBe("ENOTCAPABLE");
    for (const entry of ["NAME", "", "=NAME", "=", "=NAME=1"])
      expect(await given(["NAME=1", entry])).toBe("EINVAL");
  });
}

function hostileLaws(law: Law): void {
  law("SPAWN with pointers that do not fit the memory gives -EFAULT", async ({ guest }) => {
    const end = guest.memory.buffer.byteLength;
    for (const pointer of [end, end - PROCESS_REQUEST.size + 1, 0xffff_ffff, 0xffff_fff0])
      expect(errnoName(await guest.submit({ op: OP.SPAWN, pointer }))).toBe("EFAULT");
    for (const field of ["path", "arguments", "environment", "directory"] as const) {
      for (const [address, bytes] of [
        [end, 1],
        [end - 1, 2],
        [0xffff_ffff, 1],
        [0xffff_ffff, 0xffff_ffff],
        [1, 0xffff_ffff],
      ] as const) {
        const pointer = putRequest(guest, shell("exit 0"));
        guest.view.setUint32(pointer + PROCESS_REQUEST[field], address, true);
        guest.view.setUint32(pointer + PROCESS_REQUEST[`${field}Bytes`], bytes, true);
        expect(errnoName(await guest.submit({ op: OP.SPAWN, pointer }))).toBe("EFAULT");
      }
    }
  });

  law("WAIT into memory that is not there gives -EFAULT", async ({ guest }) => {
    const { handle } = await spawn(guest, shell("exit 0"));
    const end = guest.memory.buffer.byteLength;
    for (const pointer of [end, end - 7, 0xffff_ffff, 0xffff_fff8])
      expect(errnoName(await guest.submit({ op: OP.WAIT, handle, pointer }))).toBe("EFAULT");
  });

  law("lists of arguments without an end, and empty ones, give -EINVAL", async ({ guest }) => {
    const started = async (field: "arguments" | "environment", list: string): Promise<string> => {
      const pointer = putRequest(guest, shell("exit 0"));
      const { pointer: at, length } = guest.put(list);
      guest.view.setUint32(pointer + PROCESS_REQUEST[field], at, true);
      guest.view.setUint32(pointer + PROCESS_REQUEST[`${field}Bytes`], length, true);
      return errnoName(await guest.submit({ op: OP.SPAWN, pointer }));
    };
    expect(await started("arguments", "")).toBe("EINVAL");
    expect(await started("arguments", "sh")).toBe("EINVAL");
    expect(await started("arguments", "sh\0-c\0exit 0")).toBe("EINVAL");
    expect(await started("environment", "NAME=1")).toBe("EINVAL");
    expect(await started("environment", "NAME=1\0\0")).toBe("EINVAL");
    const { result } = await trySpawn(guest, { path: "/bin/sh\0/x" });
    expect(errnoName(result)).toBe("EINVAL");
    const long = await trySpawn(guest, { path: `/${"x".repeat(4096)}` });
    expect(errnoName(long.result)).toBe("ENAMETOOLONG");
  });

  law("a guest gives a child no handle but its own, and none that is no stream", async (bench) => {
    const { guest, open, files, data } = bench;
    await files.write(join(data, "file"), "");
    await using other = await open({
      grants: { directories: [{ host: data, guest: "/data" }] },
      handlesMax: 8,
    });
    const stranger = must(await new Guest(other).open("/data/file", OPEN.READ));
    const closed = must(await guest.open("/data/file", OPEN.READ));
    must(await guest.close(closed));
    const give = async (handle: number): Promise<string> =>
      errnoName((await trySpawn(guest, { stdio: [{ handle }, "null", "pipe"] })).result);
    for (const forged of [0, 1, 2, -1, 0x7fff_ffff, closed])
      expect(await give(forged)).toBe("EBADF");
    const mine = must(await guest.open("/data/file", OPEN.READ));
    if (mine !== stranger) expect(await give(stranger)).toBe("EBADF");
    const directory = must(await guest.open("/data", OPEN.READ | OPEN.DIRECTORY));
    const { listener } = await guest.pair();
    const { handle: udp } = await guest.udp();
    const { handle: child } = await spawn(guest, shell("exit 0"));
    for (const wrong of [directory, listener, udp, child])
      expect(await give(wrong)).toBe("ENOTSUP");
  });

  law("a stream of no kind gives -EINVAL", async ({ guest, backend }) => {
    for (const kind of [4, 5, 0x8000_0000, 0xffff_ffff]) {
      const pointer = putRequest(guest, shell("exit 0", { stdio: ["pipe", "pipe", "null"] }));
      guest.view.setUint32(streamAt(pointer, 2) + PROCESS_STREAM.kind, kind, true);
      expect(errnoName(await guest.submit({ op: OP.SPAWN, pointer }))).toBe("EINVAL");
    }
    expect(backend.handlesOpen).toBe(0);
  });
}
