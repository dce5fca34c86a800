import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { beforeAll, expect, test } from "vitest";
import { buildExamples } from "../../scripts/build-examples.ts";
import { packageRoot } from "../../ts/package-files.ts";
import { findDeno, NO_DENO } from "../support/programs.ts";
import { startProgram } from "../support/run-program.ts";

const deno = findDeno();
if (deno === undefined) {
  test.skip(`the example for Deno serves a connection [skipped: ${NO_DENO}]`);
} else {
  beforeAll(() => buildExamples(["echo-server"]));

  test("the example for Deno serves a connection, and ends at Ctrl-C", async () => {
    const flags = [
      "--no-prompt",
      "--allow-read=dist/examples/echo-server.wasm",
      "--allow-net=127.0.0.1:0",
    ];
    const args = ["run", ...flags, "examples/deno/serve.ts", "0"];
    const program = startProgram(deno, args, { cwd: packageRoot() });
    const { port } = JSON.parse(await program.wrote("}\n")) as { port: number };
    const client = connect(port, "127.0.0.1");
    await once(client, "connect");
    client.end("through Deno");
    expect(await text(client)).toBe("through Deno");
    program.signal("SIGINT");
    const { code, hung, stdout, stderr } = await program.ended;
    expect({ code, hung }).toEqual({ code: 0, hung: false });
    expect(stdout).toContain('"connections":1,"refused":0,"failed":0,"bytes":12');
    expect(stderr).toContain("serving on the deno backend");
  });
}
