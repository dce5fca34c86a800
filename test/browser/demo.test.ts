//! The browser demo, end to end.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ERRNO } from "../../ts/abi.gen.ts";
import { findChromium, NO_CHROMIUM } from "../support/programs.ts";
import {
  DemoBrowser,
  look,
  slide,
  waitForErrors,
  waitForMessages,
  waitForTasks,
} from "./demo-page.ts";

/** All files of the page together, compressed. */
const PAGE_BYTES_MAX = 400_000;

/** A screen that redraws 60 times a second leaves 16.7 ms; of some frames more may be used. */
const FRAME_MS_MAX = 20;
const FRAMES = 180;

const ECHO_1 = 3;
const ECHO_2 = 4;

const program = findChromium();

describe("the browser demo", () => {
  if (program === undefined) {
    test.skip(`runs [skipped: ${NO_CHROMIUM}]`);
    return;
  }
  let browser: DemoBrowser;
  beforeAll(async () => {
    browser = await DemoBrowser.start(program);
  });
  afterAll(() => browser[Symbol.asyncDispose]());

  const opened: { page: Page; problems: string[] }[] = [];
  afterEach(async () => {
    for (const { page, problems } of opened.splice(0)) {
      await page.context().close();
      expect(problems).toEqual([]);
    }
  });

  async function open(
    options: BrowserContextOptions = {},
    prepare?: (page: Page) => Promise<void>,
  ): Promise<Page> {
    const demo = await browser.open(
      { viewport: { width: 1440, height: 900 }, ...options },
      prepare,
    );
    opened.push(demo);
    demo.page.setDefaultTimeout(45_000);
    return demo.page;
  }

  test("weighs less than 400 KB, all files compressed", () => {
    const files = readdirSync(browser.directory, { recursive: true, withFileTypes: true });
    const bytes = files
      .filter((file) => file.isFile())
      .map((file) => brotliCompressSync(readFileSync(join(file.parentPath, file.name))).length);
    expect(bytes.length).toBeGreaterThan(8);
    expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(PAGE_BYTES_MAX);
  });

  test("loads from a path of its own, asks for nothing else, and says what it is", async () => {
    const page = await open();
    await waitForTasks(page, 1_000);
    await waitForMessages(page, 100);
    expect(await page.textContent("header p")).toMatch(/blocking C .* thousands of coroutines/);
    expect(await page.textContent("#code")).toContain("sf_read_timeout");
    expect(await page.isVisible("#notice")).toBe(false);
    expect((await look(page)).failure).toBe(undefined);
  });

  test("10,000 coroutines: the page's work for a frame stays under 20 ms in 95 of 100", async () => {
    const page = await open();
    await slide(page, "tasks", 10_000);
    await waitForTasks(page, 10_000);
    let best = Number.POSITIVE_INFINITY;
    // The machine may be busy with something else: the best of three.
    for (let attempt = 0; attempt < 3 && best >= FRAME_MS_MAX; attempt++) {
      await page.evaluate(() => window.stackfulDemo!.work.clear());
      await page.waitForFunction(
        (count) => window.stackfulDemo!.work.summary.frames >= count,
        FRAMES,
      );
      best = Math.min(best, await page.evaluate(() => window.stackfulDemo!.work.summary.p95));
    }
    expect(best).toBeLessThan(FRAME_MS_MAX);
    expect((await look(page)).tasks).toBeGreaterThanOrEqual(10_000);
  });

  test.each(["the page", "a worker"])("the same seed ends the same in %s", async (where) => {
    const page = await open();
    if (where === "a worker") await page.click("#worker");
    const print = (seed: number): Promise<string> =>
      page.evaluate(async (number) => {
        const settings = { ...window.stackfulDemo!.settings(), tasks: 500, seed: number };
        return await window.stackfulDemo!.fingerprint(settings, 1_500);
      }, seed);
    prints.push([await print(7), await print(7), await print(8)]);
    const [first, again, other] = prints.at(-1)!;
    expect(again).toBe(first);
    expect(other).not.toBe(first);
    expect(prints.at(-1)).toEqual(prints[0]);
  });
  const prints: string[][] = [];

  describe("sliders", () => {
    test("coroutines: as many as it says, more or fewer, and those that are too many are canceled", async () => {
      const page = await open();
      await slide(page, "speed", 1);
      for (const tasks of [100, 2_000, 200]) {
        await slide(page, "tasks", tasks);
        await waitForTasks(page, tasks, 1.2 * tasks);
      }
      const { errors } = await look(page);
      expect(errors[ERRNO.ECANCELED]).toBeGreaterThan(500);
      expect(await page.textContent("label[for=slider-tasks] + output")).toBe("200");
    });

    test("latency: the higher, the more clients wait for answers", async () => {
      const page = await open();
      const waiting = (): Promise<number> =>
        page.evaluate(() => {
          const { waits, waitCounts } = window.stackfulDemo!.picture()!;
          return waitCounts["echo-client"][waits.indexOf("operation read")] ?? 0;
        });
      await slide(page, "speed", 1);
      await slide(page, "latencyMs", 1);
      await waitForMessages(page, 2_000);
      expect(await waiting()).toBeLessThan(25);
      await slide(page, "latencyMs", 250);
      await waitForMessages(page, 2_000);
      expect(await waiting()).toBeGreaterThan(75);
    });

    test("loss: messages are lost from then on, and not before", async () => {
      const page = await open();
      await page.evaluate(() => {
        const total = { lost: 0 };
        Object.assign(window, { total });
        const count = (): void => {
          for (const lost of window.stackfulDemo!.picture()?.lost ?? []) total.lost += lost;
          requestAnimationFrame(count);
        };
        count();
      });
      const lost = (): Promise<number> =>
        page.evaluate(() => (window as unknown as { total: { lost: number } }).total.lost);
      await waitForMessages(page, 300);
      expect(await lost()).toBe(0);
      await slide(page, "loss", 0.2);
      await waitForMessages(page, 300);
      expect(await lost()).toBeGreaterThan(20);
    });

    test("speed: virtual time passes faster", async () => {
      const page = await open();
      const pace = (speed: number): Promise<number> =>
        page.evaluate(async (value) => {
          const demo = window.stackfulDemo!;
          const frames = async (count: number): Promise<void> => {
            for (let i = 0; i < count; i++) await new Promise(requestAnimationFrame);
          };
          demo.set("speed", value);
          await frames(5);
          const [atMs, atNs] = [performance.now(), demo.picture()!.totals.virtualNs];
          await frames(40);
          return (demo.picture()!.totals.virtualNs - atNs) / 1e6 / (performance.now() - atMs);
        }, speed);
      await slide(page, "tasks", 100);
      expect(await pace(1)).toBeGreaterThan(10 * (await pace(0.01)));
    });

    test("seed: another world begins", async () => {
      const page = await open();
      const before = await look(page);
      await page.focus("#slider-seed");
      await page.keyboard.press("ArrowRight");
      await page.waitForFunction(
        (seed) => window.stackfulDemo!.picture()?.seed === seed,
        before.seed + 1,
      );
      expect((await look(page)).world).toBe(before.world + 1);
    });
  });

  test("pause stops virtual time, a step moves it, and replay starts the same seed again", async () => {
    const page = await open();
    await waitForTasks(page, 500, 2_000);
    await page.click("#pause");
    const virtualNs = (): Promise<number> =>
      page.evaluate(async () => {
        for (let i = 0; i < 5; i++) await new Promise(requestAnimationFrame);
        return window.stackfulDemo!.picture()!.totals.virtualNs;
      });
    const paused = await virtualNs();
    expect(await virtualNs()).toBe(paused);
    let stepped = paused;
    for (let step = 0; step < 200 && stepped === paused; step++) {
      await page.click("#step");
      stepped = await virtualNs();
    }
    expect(stepped).toBeGreaterThan(paused);
    expect(stepped).toBeLessThan(paused + 50e6);
    const { world, seed } = await look(page);
    await page.click("#pause");
    await page.click("#replay");
    await page.waitForFunction(
      (last) => (window.stackfulDemo!.picture()?.world ?? 0) > last,
      world,
    );
    expect((await look(page)).seed).toBe(seed);
  });

  test.each(["the page", "a worker"])(
    "a server that is killed in %s: clients see it, turn to the other one, and come back",
    async (where) => {
      const page = await open();
      if (where === "a worker") {
        await page.click("#worker");
        await page.waitForFunction(() => window.stackfulDemo!.picture() !== undefined);
      }
      await slide(page, "speed", 1);
      await waitForTasks(page, 1_000);
      const { hosts: before } = await look(page);
      await page.click("#kill");
      await page.waitForFunction(
        (host) => !window.stackfulDemo!.picture()!.hosts[host]!.up,
        ECHO_1,
      );
      await page.waitForFunction(
        ([host, least]) => window.stackfulDemo!.picture()!.hosts[host!]!.tasks > least!,
        [ECHO_2, 1.5 * before[ECHO_2]!.tasks],
      );
      const { errors, hosts } = await look(page);
      expect(errors[ERRNO.EPIPE]! + errors[ERRNO.ECONNRESET]!).toBeGreaterThan(50);
      await waitForErrors(page, ERRNO.ECONNREFUSED);
      expect(hosts[ECHO_1]!.tasks).toBe(0);
      expect(await page.textContent("#kill")).toBe("Restart echo-1");
      await page.click("#kill");
      await page.waitForFunction(
        ([host, least]) => window.stackfulDemo!.picture()!.hosts[host!]!.tasks > least!,
        [ECHO_1, 0.5 * before[ECHO_1]!.tasks],
      );
      expect((await look(page)).failure).toBe(undefined);
    },
  );

  test("a network that is cut: calls time out; when it is healed, answers come again", async () => {
    const page = await open();
    await slide(page, "speed", 1);
    await waitForTasks(page, 1_000);
    await page.click("#cut");
    await waitForErrors(page, ERRNO.ETIMEDOUT, 200);
    const { messages } = (await look(page)).totals;
    await waitForErrors(page, ERRNO.ETIMEDOUT, 200);
    expect((await look(page)).totals.messages).toBe(messages);
    expect(await page.textContent("#errors")).toMatch(/[1-9]\d* timed out/);
    await page.click("#cut");
    await waitForMessages(page, 1_000);
    expect((await look(page)).failure).toBe(undefined);
  });

  test("a host that is cut off alone: the others go on", async () => {
    const page = await open();
    await slide(page, "speed", 1);
    await waitForTasks(page, 1_000);
    await page.click(".host:nth-child(1)");
    await page.click("#isolate");
    await waitForErrors(page, ERRNO.ETIMEDOUT, 30);
    await waitForMessages(page, 500);
    const { hosts } = await look(page);
    expect(hosts.map(({ cut }) => cut)).toEqual(hosts.map((_, host) => host === 0));
  });

  test("a cell that is clicked: its coroutine, what it waits for, its stack, and the line", async () => {
    const page = await open();
    await waitForTasks(page, 1_000);
    const canvas = (await page.locator("#stage").boundingBox())!;
    const host = (await page.locator(".host.server").first().boundingBox())!;
    await page.mouse.click(host.x + 60, host.y + host.height + 18);
    await page.waitForSelector("#task h2");
    expect(host.x).toBeGreaterThan(canvas.x);
    expect(await page.textContent("#task h2")).toMatch(/^serve \d+ on echo-1$/);
    expect(await page.textContent("#task dl")).toMatch(/Waits foroperation read.*Switches\d/);
    expect(await page.locator("#task .stack li").allTextContents()).toEqual(["sf_read", "serve"]);
    expect(await page.textContent(".line.here")).toContain("sf_read_timeout(");
    expect(await page.textContent("#announce")).toMatch(/serve \d+ on echo-1 waits for/);
  });

  test("everything works by keyboard, and what has the focus is to be seen", async () => {
    const page = await open();
    await waitForTasks(page, 1_000);
    const seen: string[] = [];
    for (let press = 0; press < 60; press++) {
      await page.keyboard.press("Tab");
      const focused = await page.evaluate(() => {
        const element = document.activeElement as HTMLElement;
        if (element === document.body) return undefined;
        const { outlineStyle, outlineWidth } = getComputedStyle(element);
        const name = element.getAttribute("aria-label") ?? element.textContent?.trim();
        const labels = (element as HTMLInputElement).labels?.length ?? 0;
        return {
          id: element.id || element.textContent!.trim().slice(0, 6),
          named: Boolean(name) || labels > 0,
          outlined: outlineStyle !== "none" && outlineWidth !== "0px",
        };
      });
      if (focused === undefined) break;
      expect(focused, focused.id).toMatchObject({ named: true, outlined: true });
      seen.push(focused.id);
    }
    const controls = [
      "theme",
      "stage",
      "pause",
      "step",
      "replay",
      "worker",
      "kill",
      "isolate",
      "cut",
    ];
    const sliders = ["tasks", "latencyMs", "loss", "speed", "seed"].map((name) => `slider-${name}`);
    for (const id of [...controls, ...sliders, "tab-0", "code", "race-start"]) {
      expect(seen).toContain(id);
    }
    await page.focus("#stage");
    await page.keyboard.press("PageDown");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#task h2");
    expect(await page.textContent("#task h2")).toMatch(/on load-2$/);
    await page.focus("#tab-0");
    await page.keyboard.press("ArrowRight");
    expect(await page.textContent("#code")).toContain("echo-client.c");
    await page.focus("#pause");
    await page.keyboard.press("Space");
    expect(await page.getAttribute("#pause", "aria-pressed")).toBe("true");
  });

  test("what cannot be loaded is said, and the page works again without it", async () => {
    const page = await open();
    await page.route("**/*.wasm", (route) => route.fulfill({ status: 503 }));
    await page.click("#worker");
    await page.waitForSelector("#notice:not([hidden])");
    expect(await page.textContent("#notice")).toMatch(/loading .*\.wasm: status 503/);
    await page.click("#worker");
    await waitForTasks(page, 1_000);
    expect(await page.isVisible("#notice")).toBe(false);
  });

  test("where little motion is wanted, nothing flies and nothing flashes", async () => {
    const page = await open({ reducedMotion: "reduce" });
    await waitForTasks(page, 1_000);
    // Of frames that follow each other: how many show something else than the one before?
    const changes = (): Promise<number> =>
      page.evaluate(async () => {
        const canvas = document.querySelector<HTMLCanvasElement>("#stage")!;
        let before = canvas.toDataURL();
        let changed = 0;
        for (let frame = 0; frame < 30; frame++) {
          await new Promise(requestAnimationFrame);
          const now = canvas.toDataURL();
          if (now !== before) changed++;
          before = now;
        }
        return changed;
      });
    const calm = await changes();
    await page.emulateMedia({ reducedMotion: "no-preference" });
    expect(calm).toBeLessThan((await changes()) / 2);
  });

  test("dark and light: as the system says, until somebody chooses", async () => {
    const page = await open({ colorScheme: "dark" });
    const becomes = (theme: string) =>
      page.waitForFunction((name) => document.documentElement.dataset.theme === name, theme);
    await becomes("dark");
    await page.emulateMedia({ colorScheme: "light" });
    await becomes("light");
    await page.click("#theme");
    await becomes("dark");
    await page.reload();
    await becomes("dark");
  });

  test.each([320, 390, 768])(
    "%d pixels wide: nothing sticks out, and targets are large",
    async (width) => {
      const page = await open({ viewport: { width, height: 800 }, hasTouch: true, isMobile: true });
      const { wide, small } = await page.evaluate(() => ({
        wide: document.documentElement.scrollWidth,
        small: [...document.querySelectorAll<HTMLElement>("button, input[type=range], .switch")]
          .filter((element) => element.offsetHeight < 24)
          .map((element) => element.id || element.textContent),
      }));
      expect(wide).toBeLessThanOrEqual(width);
      expect(small).toEqual([]);
      await waitForTasks(page, await page.evaluate(() => window.stackfulDemo!.settings().tasks));
      await page.locator("#stage").scrollIntoViewIfNeeded();
      const host = (await page.locator(".host").nth(ECHO_1).boundingBox())!;
      await page.touchscreen.tap(host.x + 20, host.y + host.height + 10);
      await page.waitForSelector("#task h2");
      expect(await page.textContent("#task h2")).toMatch(/on echo-1$/);
    },
  );

  test("the race: stackful holds more than JSPI, which cannot take the page along", async () => {
    const page = await open({}, async (fresh) => {
      await fresh.addInitScript(() => {
        Object.defineProperty(navigator, "deviceMemory", { value: 1 });
      });
    });
    // Playwright takes the end of the frame's process for the page's: this goes around it.
    const session = await page.context().newCDPSession(page);
    const text = async (expression: string): Promise<string> => {
      const { result } = await session.send("Runtime.evaluate", { expression });
      return String(result.value);
    };
    await page.click("#race-start");
    while ((await text(`document.getElementById("race-start").disabled`)) === "true");
    const rows = await text(`document.getElementById("race-rows").innerText`);
    const [stackful, promises, jspi] = rows.split(/\n(?=async|JSPI)/) as [string, string, string];
    expect(stackful).toMatch(/100,000\s+1,\d{3} B each; all woke up again/);
    expect(promises).toMatch(/100,000\s+all woke up again/);
    expect(jspi).toMatch(/process died|stopped by this page|refused|this browser has none/);
    expect(await text("window.stackfulDemo.picture().failure")).toBe("undefined");
  });
});
