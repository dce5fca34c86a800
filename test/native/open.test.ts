//! Opening: the build, grants, and what cannot be opened.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { buildNative } from "../../scripts/build-native.ts";
import { OP, OPEN } from "../../ts/abi.gen.ts";
import { addonFile } from "../../ts/host/native/load-addon.ts";
import { openNative } from "../../ts/host/native/native-backend.ts";
import { errnoName, must } from "../conformance/guest.ts";
import { requireAddon } from "./require-addon.ts";
import { MECHANISMS, withNative } from "./with-native.ts";

requireAddon();

test("a build that is up to date is left alone", () => {
  expect(buildNative()).toEqual({ status: "fresh", file: addonFile() });
});

test("a grant of a directory that does not exist is an error of its own", async () => {
  const grants = { directories: [{ host: "/nonexistent/directory", guest: "/data" }] };
  await expect(openNative("uring", { grants, handlesMax: 1 })).rejects.toMatchObject({
    code: "SF_IO",
    errno: "ENOENT",
  });
});

test("a guest path that climbs is no name for a grant", async () => {
  const grants = { directories: [{ host: "/tmp", guest: "/data/../etc" }] };
  await expect(openNative("uring", { grants, handlesMax: 1 })).rejects.toMatchObject({
    errno: "EINVAL",
  });
});

describe.each(MECHANISMS)("%s", (mechanism) => {
  test("a pipe in a granted directory cannot be opened: writing to it could end the process", async () => {
    const host = mkdtempSync(join(tmpdir(), "stackful-native-"));
    execFileSync("mkfifo", [join(host, "pipe")]);
    await withNative(
      { mechanism, grants: { directories: [{ host, guest: "." }] } },
      async ({ guest }) => {
        // Both ways, so that opening does not wait for the other end.
        expect(errnoName(await guest.open("pipe", OPEN.READ | OPEN.WRITE))).toBe("ENOTSUP");
        expect(guest.backend.handlesOpen).toBe(0);
      },
    );
    rmSync(host, { recursive: true });
  });

  test("an OPEN of a pipe without another end does not hang", async () => {
    const host = mkdtempSync(join(tmpdir(), "stackful-native-"));
    execFileSync("mkfifo", [join(host, "pipe")]);
    await withNative(
      { mechanism, grants: { directories: [{ host, guest: "." }] } },
      async ({ guest }) => {
        const opening = guest.start({ op: OP.OPEN, ...guest.put("pipe"), argument: OPEN.READ });
        guest.turn();
        guest.cancel(opening.token);
        // The kernel tries without waiting first, which for a pipe succeeds.
        expect(["ENOTSUP", "ECANCELED"]).toContain(errnoName(await opening.result));
      },
    );
    rmSync(host, { recursive: true });
  });

  test("an IPv6 listener takes no IPv4 connections", async () => {
    await withNative({ mechanism }, async ({ guest }) => {
      const listener = await guest.listen(0, Array(16).fill(0));
      if (errnoName(listener) === "EAFNOSUPPORT") return; // A host without IPv6.
      const { port } = await guest.localAddress(must(listener));
      const refused = await new Promise((resolve) => {
        connect(port, "127.0.0.1").on("error", resolve).on("connect", resolve);
      });
      expect(refused).toMatchObject({ code: "ECONNREFUSED" });
    });
  });
});
