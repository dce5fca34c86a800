//! The contestants that cannot harm the page: they run in a worker, which is ended afterwards.

import { Runtime } from "stackful";
import guest from "../../../../dist/examples/browser/race.wasm?url";
import { compile } from "../engine/guests.ts";

export interface RaceOrder {
  readonly who: "stackful" | "promises";
  /** Coroutines to hold at once, at most. */
  readonly tasksMax: number;
}

export type RaceNews =
  /** Of one hand-over. */
  | { readonly type: "pace"; readonly ns: number }
  | { readonly type: "held"; readonly count: number }
  | { readonly type: "done"; readonly count: number; readonly bytesEach?: number }
  | { readonly type: "failed"; readonly reason: string };

/** Engines compile what runs long anew, in between: the best of some stretches counts. */
const STRETCHES = 8;
const STRETCH_MS = 120;

const NEWS_MS = 50;

const tell = (news: RaceNews): void => postMessage(news);

addEventListener("message", ({ data }: MessageEvent<RaceOrder>) => {
  const race = data.who === "stackful" ? raceStackful : racePromises;
  race(data.tasksMax).catch((error) => tell({ type: "failed", reason: String(error) }));
});

/** Of one hand-over, in ns; `play` hands over twice in each of `rounds`. */
async function paceOf(play: (rounds: number) => Promise<unknown>): Promise<number> {
  let rounds = 10_000;
  let best = Number.POSITIVE_INFINITY;
  for (let stretch = 0; stretch < STRETCHES; ) {
    const startMs = performance.now();
    await play(rounds);
    const ms = performance.now() - startMs;
    if (ms < STRETCH_MS) {
      rounds *= 2;
    } else {
      best = Math.min(best, (ms * 1e6) / (2 * rounds));
      stretch++;
    }
  }
  return best;
}

async function raceStackful(tasksMax: number): Promise<void> {
  const module = await compile(guest);
  const runtime = await Runtime.create(module, {
    limits: { tasksMax: tasksMax + 16, guestMemoryBytes: 4 * 1024 * 1024, turnMs: 20 },
  });
  const ns = await paceOf(async (rounds) => await runtime.spawn("ping_pong", [rounds]));
  tell({ type: "pace", ns });
  const news = setInterval(() => tell({ type: "held", count: runtime.stats.tasksLive }), NEWS_MS);
  const count = Number(await runtime.spawn("hold", [tasksMax]));
  clearInterval(news);
  tell({ type: "held", count });
  const { regionsBytes, regionsFreeBytes } = runtime.stats;
  const woken = Number(await runtime.spawn("wake_all"));
  if (woken !== count) throw new Error(`${count} were held, and ${woken} woke up again`);
  tell({ type: "done", count, bytesEach: (regionsBytes - regionsFreeBytes) / count });
}

async function racePromises(tasksMax: number): Promise<void> {
  let waiting: ((value: number) => void) | undefined;
  const handOver = (value: number): Promise<number> =>
    new Promise((resolve) => {
      waiting?.(value);
      waiting = resolve;
    });
  async function play(rounds: number): Promise<number> {
    let value = 0;
    for (let round = 0; round < rounds; round++) value = await handOver(value + 1);
    return value;
  }
  const ns = await paceOf(async (rounds) => {
    const players = [play(rounds), play(rounds)];
    await players[0];
    waiting?.(0);
    waiting = undefined;
    await players[1];
  });
  tell({ type: "pace", ns });

  const wake: ((value: number) => void)[] = [];
  async function park(): Promise<number> {
    return (await new Promise<number>((resolve) => wake.push(resolve))) + 1;
  }
  const parked: Promise<number>[] = [];
  while (parked.length < tasksMax) {
    for (let index = 0; index < 20_000; index++) parked.push(park());
    tell({ type: "held", count: parked.length });
    await new Promise<void>((resolve) => setTimeout(resolve));
  }
  const count = parked.length;
  for (const [index, resolve] of wake.entries()) resolve(index);
  await Promise.all(parked);
  tell({ type: "done", count });
}
