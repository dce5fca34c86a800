//! The shared suite in a page.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findChromium, NO_CHROMIUM } from "../support/programs.ts";
import { HostsPage, PAGE_BACKENDS } from "./run-page.ts";
import { CASES } from "./shared-suite.ts";

const program = findChromium();

describe("a page in Chromium", () => {
  if (program === undefined) {
    test.skip(`runs guests [skipped: ${NO_CHROMIUM}]`);
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
