import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { highlight } from "../../examples/browser/src/view/highlight.ts";
import { Places } from "../../examples/browser/src/view/places.ts";
import { packageRoot } from "../../ts/package-files.ts";

const source = (name: string): string =>
  readFileSync(packageRoot(`examples/browser/guests/${name}`), "utf8");

const FILES = ["echo-server.c", "echo-client.c", "chat-server.c", "chat-client.c", "crowd.h"];

/** The line of a file that a coroutine with such a dump waits at. */
function lineOf(name: string, wait: string, stack: readonly string[]): string | undefined {
  const text = source(name);
  const line = new Places(text).lineOfTask({ wait, stack });
  return line === undefined ? undefined : text.split("\n")[line]!.trim();
}

describe("the line that a coroutine waits at", () => {
  test.each([
    ["echo-server.c", "operation read", ["sf_read", "serve"], "sf_read_timeout("],
    ["echo-server.c", "operation accept", ["sf_tcp_accept", "main"], "sf_tcp_accept("],
    ["echo-client.c", "sleep", ["sf_sleep", "client"], "sf_sleep("],
    ["echo-client.c", "operation read", ["sf_read", "client"], "sf_read_full_timeout("],
    ["chat-server.c", "broadcast", ["sf_broadcast_receive", "tell"], "broadcast_receive("],
    ["chat-client.c", "join", ["sf_join", "person"], "sf_cancel_wait("],
    ["chat-client.c", "end of a task", ["person"], "sf_task_wait_timeout("],
    ["crowd.h", "channel receive", ["sf_channel_receive"], "sf_channel_receive("],
  ])("%s: %s", (name, wait, stack, call) => {
    expect(lineOf(name, wait, stack)).toContain(call);
  });

  test("of two lines with that call, the one in a function of its stack", () => {
    const text = `static int a(void) {\n  sf_sleep(1);\n}\nint b(int x) {\n  sf_sleep(2);\n}\n`;
    const places = new Places(text);
    expect(places.lineOf("sf_sleep")).toBe(1);
    const lineOf = (...stack: string[]) => places.lineOfTask({ wait: "sleep", stack });
    expect(lineOf("sf_sleep", "b")).toBe(4);
    expect(lineOf("sf_sleep", "elsewhere")).toBe(1);
    expect(lineOf("b")).toBe(4);
    expect(places.lineOfTask({ wait: "ready", stack: ["b"] })).toBe(undefined);
  });

  test("a function that was inlined is found below the one that calls it", () => {
    const text = `static int in(void) {\n  sf_sleep(1);\n}\nint out(void) {\n  in();\n  out();\n}\n`;
    const stack = ["sf_sleep", "out"];
    expect(new Places(text).lineOfTask({ wait: "sleep", stack })).toBe(1);
  });
});

test.each(FILES)(
  "%s: no call that waits stands in it twice, so that counts have one line",
  (name) => {
    const lines = source(name).split("\n");
    const calls = ["read", "write", "tcp_accept", "tcp_connect", "sleep", "task_wait"];
    for (const call of [...calls, "channel_receive", "broadcast_receive", "cancel_wait"]) {
      const found = lines.filter((line) => new RegExp(`\\bsf_${call}(_\\w+)?\\(`).test(line));
      expect(found.length, call).toBeLessThanOrEqual(1);
    }
  },
);

test.each(FILES)("%s: coloring changes no character", (name) => {
  const text = source(name);
  const lines = highlight(text).map((pieces) => pieces.map(({ text: piece }) => piece).join(""));
  expect(lines.join("\n")).toBe(text.trimEnd());
  const kinds = new Set(highlight(text).flatMap((pieces) => pieces.map(({ kind }) => kind)));
  expect([...kinds]).toEqual(expect.arrayContaining(["comment", "keyword", "type", "parks"]));
});
