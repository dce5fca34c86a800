//! Laws of grants: a guest reaches what it was given and nothing else.

import { join } from "node:path/posix";
import { expect } from "vitest";
import { OPEN } from "../../ts/abi.gen.ts";
import type { Grants } from "../../ts/host/backend.ts";
import type { Bench, Law } from "./backend-conformance.ts";
import { errnoName, LOOPBACK, must, text } from "./guest.ts";

const CREATE = OPEN.WRITE | OPEN.CREATE;

export function grantLaws(law: Law): void {
  endpointLaws(law);
  escapeLaws(law);
  prefixLaws(law);

  law(
    "without grants everything is refused with -ENOTCAPABLE",
    async ({ guest }) => {
      expect(errnoName(await guest.listen())).toBe("ENOTCAPABLE");
      expect(errnoName(await guest.connect(80))).toBe("ENOTCAPABLE");
      for (const path of ["/", ".", "..", "/etc/passwd", "etc/passwd"]) {
        expect(errnoName(await guest.open(path, OPEN.READ))).toBe("ENOTCAPABLE");
      }
    },
    { grants: () => ({}) },
  );

  law(
    "a grant of a directory that does not exist fails the opening",
    async ({ open, data, files }) => {
      await files.write(join(data, "file"), "");
      for (const [name, errno] of [
        ["missing", "ENOENT"],
        ["file", "ENOTDIR"],
      ] as const) {
        const grants = { directories: [{ host: join(data, name), guest: "/data" }] };
        const opening = open({ grants, handlesMax: 1 });
        await expect(opening).rejects.toMatchObject({ code: "SF_IO", errno });
      }
    },
  );

  law("a grant that can match nothing fails the opening", async ({ open, data }) => {
    const refuses = (grants: Grants) => expect(open({ grants, handlesMax: 1 })).rejects;
    await refuses({ connect: [{ bytes: new Uint8Array(5) }] }).toThrow(TypeError);
    await refuses({ listen: [{ port: 65_536 }] }).toThrow(RangeError);
    await refuses({ listen: [{ port: -1 }] }).toThrow(RangeError);
    await refuses({ directories: [{ host: data, guest: "" }] }).toThrow(TypeError);
    await refuses({ directories: [{ host: "", guest: "/data" }] }).toThrow(TypeError);
  });

  law(
    "a read-only directory refuses every writing flag with -EROFS",
    async ({ guest, data, files }) => {
      await files.write(join(data, "file"), "unchanged");
      const writing = [
        OPEN.WRITE,
        OPEN.READ | OPEN.WRITE,
        OPEN.READ | OPEN.CREATE,
        OPEN.WRITE | OPEN.CREATE | OPEN.EXCLUSIVE,
        OPEN.WRITE | OPEN.TRUNCATE,
        OPEN.WRITE | OPEN.APPEND,
      ];
      for (const flags of writing) {
        expect(errnoName(await guest.open("/readonly/file", flags))).toBe("EROFS");
        expect(errnoName(await guest.open("/readonly/new", flags))).toBe("EROFS");
      }
      const file = must(await guest.open("/readonly/file", OPEN.READ));
      expect(text(await guest.pread(file, 64, 0))).toBe("unchanged");
      expect(await files.list(data)).toEqual(["file"]);
    },
  );
}

function endpointLaws(law: Law): void {
  law(
    "an address grant covers that address only",
    async ({ guest }) => {
      expect(errnoName(await guest.listen(0, [127, 0, 0, 2]))).toBe("ENOTCAPABLE");
      expect(errnoName(await guest.listen(0, [0, 0, 0, 0]))).toBe("ENOTCAPABLE");
      const { port } = await guest.localAddress(must(await guest.listen()));
      expect(errnoName(await guest.connect(port, [127, 0, 0, 2]))).toBe("ENOTCAPABLE");
      // The same address in IPv6's clothes is another address.
      const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...LOOPBACK];
      expect(errnoName(await guest.connect(port, mapped))).toBe("ENOTCAPABLE");
      must(await guest.connect(port));
    },
    {
      grants: () => ({
        listen: [{ bytes: Uint8Array.from(LOOPBACK) }],
        connect: [{ bytes: Uint8Array.from(LOOPBACK) }],
      }),
    },
  );

  law(
    "a port grant covers that port only",
    async ({ guest }) => {
      const listener = must(await guest.listen(0));
      const { port } = await guest.localAddress(listener);
      expect(errnoName(await guest.listen(port))).toBe("ENOTCAPABLE");
      expect(errnoName(await guest.connect(port))).toBe("ENOTCAPABLE");
    },
    { grants: () => ({ listen: [{ port: 0 }], connect: [{ port: 0 }] }) },
  );

  law(
    "the right to listen is not the right to connect",
    async ({ guest }) => {
      const { port } = await guest.localAddress(must(await guest.listen()));
      expect(errnoName(await guest.connect(port))).toBe("ENOTCAPABLE");
    },
    { grants: () => ({ listen: [{}] }) },
  );
}

function escapeLaws(law: Law): void {
  const escapes = async (
    { guest, files, outside }: Bench,
    paths: readonly string[],
    errno = "ENOTCAPABLE",
  ): Promise<void> => {
    for (const path of paths) {
      expect(`${path}: ${errnoName(await guest.open(path, OPEN.READ))}`).toBe(`${path}: ${errno}`);
      const writing = await guest.open(path, CREATE | OPEN.TRUNCATE);
      expect(`${path}: ${errnoName(writing)}`).toBe(`${path}: ${errno}`);
    }
    expect(await files.list(outside)).toEqual(["secret"]);
    expect(await files.readText(join(outside, "secret"))).toBe("secret");
  };

  law("no path of dots leads out of a granted directory", async (bench) => {
    await bench.files.write(join(bench.outside, "secret"), "secret");
    await bench.files.makeDirectory(join(bench.data, "sub"));
    await escapes(bench, [
      "/data/../outside/secret",
      "/data/../outside/new",
      "/data/sub/../../outside/secret",
      "/data/./sub/.././../outside/new",
      "/data/../data/sub/../../outside/new",
      "/outside/secret",
      "outside/secret",
      bench.outside,
      join(bench.outside, "secret"),
    ]);
  });

  law("dots that stay inside are fine", async ({ guest, data, files }) => {
    await files.makeDirectory(join(data, "sub"));
    await files.write(join(data, "file"), "inside");
    for (const path of [
      "/data/sub/../file",
      "/data/./file",
      "/data//file",
      "//data/sub/./../file",
    ]) {
      const file = must(await guest.open(path, OPEN.READ));
      expect(text(await guest.pread(file, 16, 0))).toBe("inside");
    }
  });

  law("no link leads out of a granted directory", async (bench) => {
    const { data, outside, files } = bench;
    await files.write(join(outside, "secret"), "secret");
    await files.makeDirectory(join(data, "sub"));
    await files.makeLink(outside, join(data, "absolute"));
    await files.makeLink(join(outside, "secret"), join(data, "absolute-file"));
    await files.makeLink("../outside", join(data, "relative"));
    await files.makeLink("../outside/secret", join(data, "relative-file"));
    await files.makeLink("../../outside/new", join(data, "sub", "dangling"));
    await files.makeLink("sub/dangling", join(data, "twice"));
    await files.makeLink("../data/sub", join(data, "out-and-back"));
    await escapes(bench, [
      "/data/absolute/secret",
      "/data/absolute/new",
      "/data/absolute-file",
      "/data/relative/secret",
      "/data/relative/new",
      "/data/relative-file",
      "/data/sub/dangling",
      "/data/twice",
      "/data/out-and-back/new",
    ]);
  });

  law("links that stay inside are followed", async ({ guest, data, files }) => {
    await files.makeDirectory(join(data, "sub"));
    await files.write(join(data, "file"), "inside");
    await files.makeLink("../file", join(data, "sub", "up"));
    await files.makeLink("sub/up", join(data, "twice"));
    await files.makeLink("sub", join(data, "directory"));
    for (const path of ["/data/sub/up", "/data/twice", "/data/directory/up"]) {
      const file = must(await guest.open(path, OPEN.READ));
      expect(text(await guest.pread(file, 16, 0))).toBe("inside");
    }
  });

  law("EXCLUSIVE does not follow a link: -EEXIST", async ({ guest, data, files }) => {
    await files.makeLink("new", join(data, "dangling"));
    const flags = CREATE | OPEN.EXCLUSIVE;
    expect(errnoName(await guest.open("/data/dangling", flags))).toBe("EEXIST");
    expect(await files.list(data)).toEqual(["dangling"]);
  });

  law("links that go on too long give -ELOOP", async ({ guest, data, files }) => {
    await files.makeLink("self", join(data, "self"));
    await files.makeLink("pong", join(data, "ping"));
    await files.makeLink("ping", join(data, "pong"));
    await files.write(join(data, "0"), "end");
    for (let index = 1; index <= 41; index++) {
      await files.makeLink(String(index - 1), join(data, String(index)));
    }
    for (const path of ["/data/self", "/data/ping", "/data/self/below", "/data/41"]) {
      expect(errnoName(await guest.open(path, OPEN.READ))).toBe("ELOOP");
    }
    must(await guest.open("/data/40", OPEN.READ));
  });
}

function prefixLaws(law: Law): void {
  const directories = (data: string) => [
    { host: data, guest: "/data/" },
    { host: join(data, "../outside"), guest: "/data/deep" },
    { host: join(data, ".."), guest: "/" },
  ];

  law(
    "the longest guest prefix wins, by whole names",
    async ({ guest, data, outside, files }) => {
      await files.makeDirectory(join(data, "deeper"));
      await files.write(join(data, "deeper", "file"), "in data");
      await files.write(join(outside, "file"), "in outside");
      for (const [path, content] of [
        ["/data/deeper/file", "in data"],
        ["/data/deep/file", "in outside"],
        ["/outside/file", "in outside"],
      ] as const) {
        const file = must(await guest.open(path, OPEN.READ));
        expect(text(await guest.pread(file, 16, 0))).toBe(content);
      }
      // Which directory a path is in is settled before its dots are.
      expect(errnoName(await guest.open("/data/deep/../file", OPEN.READ))).toBe("ENOTCAPABLE");
    },
    { grants: (data) => ({ directories: directories(data) }) },
  );

  law(
    "a relative path is in the directory granted as its prefix, else in the one granted as .",
    async ({ guest, data, outside, files }) => {
      await files.write(join(data, "file"), "in data");
      await files.write(join(outside, "file"), "in outside");
      for (const [path, content] of [
        ["file", "in data"],
        ["./file", "in data"],
        ["named/file", "in outside"],
        ["./named/file", "in outside"],
      ] as const) {
        const file = must(await guest.open(path, OPEN.READ));
        expect(text(await guest.pread(file, 16, 0))).toBe(content);
      }
      expect(errnoName(await guest.open("/file", OPEN.READ))).toBe("ENOTCAPABLE");
      expect(errnoName(await guest.open("../data/file", OPEN.READ))).toBe("ENOTCAPABLE");
    },
    {
      grants: (data) => ({
        directories: [
          { host: data, guest: "." },
          { host: join(data, "../outside"), guest: "named" },
        ],
      }),
    },
  );
}
