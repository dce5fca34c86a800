//! The shared suite in a page.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findProgram } from "../package/runtimes.ts";
import { HostsPage, PAGE_BACKENDS } from "./run-page.ts";
import { CASES } from "./shared-suite.ts";

const program = findProgram("STACKFUL_CHROMIUM", ["chromium", "chromium-browser", "google-chrome"]);

describe("a page in Chromium", () => {
  if (program === undefined) {
    test.skip("runs guests [skipped: no chromium in PATH, and STACKFUL_CHROMIUM names none]");
    return;
  }
  let page: HostsPage;
  beforeAll(async () => {
    page = await HostsPage.open(program);
  });
  afterAll(() => page[Symbol.asyncDispose]());

  test.each(PAGE_BACKENDS)("runs guests on backend %s", async (backend) => {
    const results = await page.run(backend);
    expect(results.filter(({ failure }) => failure !== undefined)).toEqual([]);
    expect(results.map(({ title }) => title)).toEqual(CASES.map(({ title }) => title));
  });
});
