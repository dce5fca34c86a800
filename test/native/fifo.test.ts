//! Pipes that have a name, in a granted directory: opening one waits for its other end.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { OP, OPEN } from "../../ts/abi.gen.ts";
import { openBackend } from "../../ts/host/open-backend.ts";
import { errnoName, Guest, must, text } from "../conformance/guest.ts";
import { requireAddon } from "./require-addon.ts";
import { MECHANISMS, type NativeBench, withNative } from "./with-native.ts";

requireAddon();

const THREADS_MAX = Math.max(4, 2 * availableParallelism());

async function withDirectory(body: (host: string) => Promise<void>): Promise<void> {
  const host = mkdtempSync(join(tmpdir(), "stackful-fifo-"));
  try {
    execFileSync("mkfifo", [join(host, "pipe"), join(host, "other")]);
    await body(host);
  } finally {
    rmSync(host, { recursive: true });
  }
}

function start(guest: Guest, path: string, argument: number) {
  const opening = { result: undefined as number | undefined };
  const { token, result } = guest.start({ op: OP.OPEN, ...guest.put(path), argument });
  void result.then((value) => {
    opening.result = value;
  });
  return { opening, token, result };
}

/** Opens a file, and closes it. Neither needs anything of who waits for a pipe. */
async function useFile(guest: Guest): Promise<void> {
  must(await guest.close(must(await guest.open("file", OPEN.WRITE | OPEN.CREATE))));
}

describe.each(MECHANISMS.filter((name) => name !== "kqueue"))("%s", (mechanism) => {
  const bench = (body: (bench: NativeBench & { host: string }) => Promise<void>) => () =>
    withDirectory((host) =>
      withNative({ mechanism, grants: { directories: [{ host, guest: "." }] } }, (opened) =>
        body({ ...opened, host }),
      ),
    );

  describe.each([
    ["read", OPEN.READ, OPEN.WRITE],
    ["write", OPEN.WRITE, OPEN.READ],
  ] as const)("to %s", (_way, flags, other) => {
    test(
      "an OPEN of a pipe waits until another task opens its other end",
      bench(async ({ guest }) => {
        const first = start(guest, "pipe", flags);
        await useFile(guest);
        expect(first.opening.result).toBeUndefined();
        const second = must(await guest.open("pipe", other));
        const ends = [must(await first.result), second];
        const [output, input] = flags === OPEN.READ ? ends : ends.reverse();
        const reading = guest.read(output!, 10);
        await useFile(guest);
        expect(await guest.write(input!, "hello")).toBe(5);
        expect(text(await reading)).toBe("hello");
        must(await guest.close(input!));
        expect(await guest.read(output!, 10)).toHaveLength(0);
      }),
    );

    test(
      "an OPEN of a pipe that waits ends when it is canceled, and leaves nothing",
      bench(async ({ guest, backend }) => {
        const waiting = start(guest, "pipe", flags);
        await useFile(guest);
        guest.cancel(waiting.token);
        expect(errnoName(await waiting.result)).toBe("ECANCELED");
        const early = start(guest, "pipe", flags);
        guest.cancel(early.token);
        expect(errnoName(await early.result)).toBe("ECANCELED");
        expect(backend.handlesOpen).toBe(0);
      }),
    );

    test(
      "OPENs of pipes that wait hold no threads, and do not keep a backend from its end",
      bench(async ({ guest }) => {
        const waiting = Array.from({ length: THREADS_MAX + 1 }, () => start(guest, "pipe", flags));
        await useFile(guest);
        expect(waiting.map(({ opening }) => opening.result)).toEqual(waiting.map(() => undefined));
      }),
    );
  });

  test(
    "a pipe is read from, and written to, by other programs",
    bench(async ({ guest, host }) => {
      const writing = writeFile(join(host, "pipe"), "from outside");
      const output = must(await guest.open("pipe", OPEN.READ));
      expect(text(await guest.readToEnd(output))).toBe("from outside");
      await writing;
      const read = readFile(join(host, "other"), "utf8");
      const input = must(await guest.open("other", OPEN.WRITE));
      await guest.writeAll(input, "from the guest");
      must(await guest.close(input));
      expect(await read).toBe("from the guest");
    }),
  );

  test(
    "an OPEN to read gets what a writer left that has gone meanwhile",
    bench(async ({ guest, host }) => {
      const waiting = start(guest, "pipe", OPEN.READ);
      await useFile(guest);
      await writeFile(join(host, "pipe"), "left");
      const output = must(await waiting.result);
      expect(text(await guest.readToEnd(output))).toBe("left");
    }),
  );

  test(
    "an OPEN of both ends waits for nobody, and a READ of them is canceled",
    bench(async ({ guest }) => {
      const both = must(await guest.open("pipe", OPEN.READ | OPEN.WRITE));
      const read = guest.start({ op: OP.READ, handle: both, ...guest.put("?") });
      await useFile(guest);
      guest.cancel(read.token);
      expect(errnoName(await read.result)).toBe("ECANCELED");
      await guest.writeAll(both, "x");
      expect(text(await guest.read(both, 10))).toBe("x");
    }),
  );

  test(
    "a WRITE to a pipe whose reader has gone is -EPIPE",
    bench(async ({ guest }) => {
      const [input, output] = (
        await Promise.all([guest.open("pipe", OPEN.WRITE), guest.open("pipe", OPEN.READ)])
      ).map(must);
      must(await guest.close(output!));
      expect(errnoName(await guest.write(input!, "x"))).toBe("EPIPE");
    }),
  );
});

describe("where nothing tells whether a pipe has another end", () => {
  /** Both ways, so that no OPEN waits. */
  async function refuses(guest: Guest): Promise<void> {
    for (const flags of [OPEN.READ | OPEN.WRITE, OPEN.READ]) {
      expect(errnoName(await guest.open("pipe", flags))).toBe("ENOTSUP");
    }
    expect(guest.backend.handlesOpen).toBe(0);
  }

  test("kqueue opens none: -ENOTSUP", () =>
    withDirectory((host) =>
      withNative(
        { mechanism: "kqueue", grants: { directories: [{ host, guest: "." }] } },
        ({ guest }) => refuses(guest),
      ),
    ));

  test("node opens none: -ENOTSUP", () =>
    withDirectory(async (host) => {
      const grants = { directories: [{ host, guest: "." }] };
      const { backend } = await openBackend("node", { grants, handlesMax: 16 });
      try {
        await refuses(new Guest(backend));
      } finally {
        await backend[Symbol.asyncDispose]();
      }
    }));
});
