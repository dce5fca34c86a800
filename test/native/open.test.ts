//! Opening: the build, grants, and what cannot be opened.

import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { buildNative } from "../../scripts/build-native.ts";
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
