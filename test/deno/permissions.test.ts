//! Deno's permissions: what is missing is named by its flag, whoever needed it, and nobody is asked.

import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ERRNO } from "../../ts/abi.gen.ts";
import { freePort } from "../support/free-port.ts";
import { type DenoProject, describeDeno } from "./deno-project.ts";

const READ_GUEST = "--allow-read=guest.wasm";

/** What an export gives, and what the runtime knows of missing permissions. */
function calling(entry: string, args: readonly number[], grants: object): string {
  return `
    const runtime = await Runtime.create(guest, { grants: ${JSON.stringify(grants)} });
    const result = await runtime.spawn("${entry}", ${JSON.stringify(args)});
    const { backend, reasons } = runtime.stats;
    report({ result, backend, reasons });
    await runtime[Symbol.asyncDispose]();
  `;
}

interface Called {
  readonly result: number;
  readonly backend: string;
  readonly reasons: readonly { readonly name: string; readonly reason: string }[];
}

function call(
  project: DenoProject,
  flags: readonly string[],
  ...what: Parameters<typeof calling>
): { result: number; backend: string; uring: string | undefined; missing: readonly string[] } {
  const body = calling(...what);
  // Of a flag that comes with a scope and without, Deno takes the scope.
  const all = flags.includes("--allow-read") ? flags : [READ_GUEST, ...flags];
  const { result, backend, reasons } = project.report(all, body) as Called;
  const of = (wanted: string) =>
    reasons.filter(({ name }) => name === wanted).map(({ reason }) => reason);
  return { result, backend, uring: of("uring")[0], missing: of("deno") };
}

const create = (options = "{}"): string =>
  `report(await attempt(() => Runtime.create(guest, ${options})));`;

describeDeno("a missing permission in Deno", (project) => {
  test("to read the guest: the error names --allow-read and the file", () => {
    const path = project().path("guest.wasm");
    expect(project().report([], create())).toMatchObject({
      code: "SF_MODULE",
      message: expect.stringMatching(new RegExp(`needs --allow-read=${path}$`)),
    });
  });

  test("to fetch the guest: the error names --allow-net and the server", () => {
    const body = `
      const there = new URL("http://127.0.0.1:1/guest.wasm");
      report(await attempt(() => Runtime.create(there)));
    `;
    expect(project().report([], body)).toMatchObject({
      code: "SF_MODULE",
      message: expect.stringMatching(/needs --allow-net=127\.0\.0\.1:1$/),
    });
  });

  test("to read a granted directory: the error names --allow-read and the directory", () => {
    const host = project().path("data");
    const directories = JSON.stringify([{ host, guest: "/data" }]);
    const body = create(`{ grants: { directories: ${directories} } }`);
    expect(project().report([READ_GUEST], body)).toMatchObject({
      code: "SF_IO",
      errno: "ENOTCAPABLE",
      message: `grant directory ${host}: it needs --allow-read=${host}`,
    });
  });

  test("is not what a grant of no directory lacks", () => {
    const body = create('{ grants: { directories: [{ host: "", guest: "/data" }] } }');
    expect(project().report([READ_GUEST], body)).toEqual({
      message: "directory grant /data -> : not a path",
    });
  });

  test("to listen: the guest gets ENOTCAPABLE, the embedder the flag", async () => {
    const port = await freePort();
    const { result, backend, missing } = call(project(), [], "listen_at", [port], {
      listen: ["*"],
    });
    expect({ result, backend, missing }).toEqual({
      result: -ERRNO.ENOTCAPABLE,
      backend: "deno",
      missing: [`an operation needed --allow-net=127.0.0.1:${port}`],
    });
  });

  test.each([
    ["none at all", () => []],
    ["one for another port", (port: number) => [`--allow-net=127.0.0.1:${port ^ 1}`]],
    ["one for another address", (port: number) => [`--allow-net=127.0.0.2:${port}`]],
    ["all but this port's", (port: number) => ["--allow-net", `--deny-net=127.0.0.1:${port}`]],
  ])("to connect, with %s: the guest gets ENOTCAPABLE, the embedder the flag", async (_, flags) => {
    const port = await freePort();
    const grants = { connect: ["127.0.0.1:*"] };
    const { result, missing } = call(project(), flags(port), "connect_to", [port], grants);
    expect({ result, missing }).toEqual({
      result: -ERRNO.ENOTCAPABLE,
      missing: [`an operation needed --allow-net=127.0.0.1:${port}`],
    });
  });

  test("what is there is enough: to this port, and to no other", async () => {
    const port = await freePort();
    const flags = [`--allow-net=127.0.0.1:${port}`];
    const called = call(project(), flags, "connect_to", [port], { connect: ["*"] });
    expect(called).toMatchObject({ result: -ERRNO.ECONNREFUSED, missing: [] });
  });

  test("to send a datagram: the guest gets ENOTCAPABLE, the embedder the flag", async () => {
    const port = await freePort();
    const from = "--allow-net=127.0.0.1:0";
    const grants = { listen: ["127.0.0.1:*"], connect: ["127.0.0.1:*"] };
    for (const { flags, needed } of [
      { flags: [], needed: 0 },
      { flags: [from], needed: port },
    ]) {
      const { result, missing } = call(project(), flags, "send_to_port", [port], grants);
      expect({ result, missing }).toEqual({
        result: -ERRNO.ENOTCAPABLE,
        missing: [`an operation needed --allow-net=127.0.0.1:${needed}`],
      });
    }
    const flags = [`${from},127.0.0.1:${port}`];
    expect(call(project(), flags, "send_to_port", [port], grants)).toMatchObject({ result: 8 });
  });

  test("to write below a directory: reading works, writing gives ENOTCAPABLE and the flag", () => {
    const host = project().path("readable");
    mkdirSync(host);
    writeFileSync(`${host}/file`, "host!");
    const flags = [`--allow-read=${host}`];
    const grants = { directories: [{ host, guest: "/data" }] };
    expect(call(project(), flags, "read_file", [], grants)).toMatchObject({
      result: 5,
      missing: [],
    });
    expect(call(project(), flags, "write_file", [], grants)).toMatchObject({
      result: -ERRNO.ENOTCAPABLE,
      missing: [`an operation needed --allow-write=${host}/file`],
    });
    expect(readFileSync(`${host}/file`, "utf8")).toBe("host!");
    const both = [...flags, `--allow-write=${host}`];
    expect(call(project(), both, "write_file", [], grants)).toMatchObject({ result: 5 });
    expect(readFileSync(`${host}/file`, "utf8")).toBe("guest");
  });

  test("a link does not lead out of a directory, with or without permission to go there", () => {
    const host = project().path("linked");
    mkdirSync(host);
    symlinkSync(project().path("package.json"), `${host}/file`);
    const grants = { directories: [{ host, guest: "/data" }] };
    for (const flags of [[`--allow-read=${host}`], ["--allow-read", "--allow-write"]]) {
      const called = call(project(), flags, "read_file", [], grants);
      expect(called).toMatchObject({ result: -ERRNO.ENOTCAPABLE, missing: [] });
    }
  });

  test("to read the environment: STACKFUL_BACKEND is not looked at", () => {
    const [command, ...args] = project().command([READ_GUEST], calling("port_of", [0], {}));
    const { stdout } = project().run("env", ["STACKFUL_BACKEND=none", command, ...args]);
    expect(JSON.parse(stdout)).toMatchObject({ backend: "deno" });
    const allowed = args.toSpliced(1, 0, "--allow-env=STACKFUL_BACKEND");
    const seen = project().run("env", ["STACKFUL_BACKEND=none", command, ...allowed]);
    expect(JSON.parse(seen.stdout)).toMatchObject({ backend: "none" });
  });

  test("to link: the error names each flag", () => {
    project().write("unlinked.wasm", project().guest.raw);
    const body = `
      const unlinked = new URL("./unlinked.wasm", import.meta.url);
      report(await attempt(() => Runtime.create(unlinked)));
    `;
    expect(project().report(["--allow-read", "--allow-env"], body)).toMatchObject({
      code: "SF_TOOLCHAIN",
      message: expect.stringContaining("linking: in Deno it needs --allow-write --allow-run ("),
    });
  });
});

describeDeno("native I/O in Deno", (project) => {
  const addon = (): string =>
    project().path(
      `node_modules/stackful/prebuilds/${process.platform}-${process.arch}/stackful.node`,
    );
  const native = (): string[] => [`--allow-ffi=${addon()}`, `--allow-read=${addon()},guest.wasm`];
  const listen = { listen: ["127.0.0.1:*"] };

  test("without --allow-ffi and --allow-read of the addon: says that it needs them", () => {
    const { backend, uring } = call(project(), ["--allow-net"], "listen_at", [0], listen);
    expect({ backend, uring }).toEqual({
      backend: "deno",
      uring: `open io_uring: in Deno it needs --allow-ffi=${addon()} --allow-read=${addon()}`,
    });
  });

  test("is not used for what the program itself may not do: says that it needs that", () => {
    const host = project().path();
    const grants = {
      listen: ["127.0.0.1:*", "[::1]:7000"],
      connect: ["127.0.0.1:7000"],
      directories: [{ host, guest: "/data" }],
    };
    const flags = ["--allow-ffi", "--allow-read", "--allow-net=127.0.0.1:7000"];
    const { backend, uring } = call(project(), flags, "listen_at", [0], grants);
    expect({ backend, uring }).toEqual({
      backend: "deno",
      uring: `open io_uring: in Deno it needs --allow-net=127.0.0.1 --allow-net=[::1]:7000 --allow-write=${host}`,
    });
  });

  test("is not used where a part of what was granted is denied", () => {
    const flags = ["--allow-ffi", "--allow-read", "--allow-net", "--deny-net=127.0.0.1:7000"];
    const { backend, uring } = call(project(), flags, "listen_at", [0], { listen: ["*"] });
    expect({ backend, uring }).toEqual({
      backend: "deno",
      uring: "open io_uring: in Deno it needs --allow-net",
    });
  });

  test("with all of them: is used, or the reason is none of Deno's", () => {
    const body = calling("listen_at", [0], listen);
    const flags = [...native(), "--allow-net=127.0.0.1"];
    const { result, backend, reasons } = project().report(flags, body) as Called;
    expect(result).toBeGreaterThan(0);
    if (backend === "uring" || backend === "epoll") expect(existsSync(addon())).toBe(true);
    else expect(reasons[0]?.reason).not.toContain("--allow");
  });

  test("that is asked for by name, without its permissions: the error names them", () => {
    const body = create('{ backend: "uring" }');
    expect(project().report([READ_GUEST], body)).toMatchObject({
      code: "SF_IO",
      message: expect.stringContaining(`--allow-ffi=${addon()}`),
    });
  });
});
