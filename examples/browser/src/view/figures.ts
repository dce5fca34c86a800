//! The figures above the picture: rates over the last second.

import type { Picture, Totals } from "../engine/protocol.ts";
import { byId, make, setText } from "./dom.ts";
import { bytes, count, ns } from "./format.ts";

/** How long rates are taken over, and how often they are written, in ms. */
const WINDOW_MS = 1_000;
const WRITE_MS = 250;

interface Sample {
  readonly atMs: number;
  readonly totals: Totals;
}

const NAMES = [
  ["tasks", "Coroutines", "alive in all programs"],
  ["switches", "Switches a second", "how often a coroutine was entered"],
  ["switch", "Per switch", "the programs' own code, and the start of their I/O, included"],
  ["turns", "Turns a second", "runs of a scheduler, each followed by one batch of I/O"],
  ["messages", "Messages a second", "answers that were right, and lines that were heard"],
  ["bytes", "Bytes a coroutine", "control block, C stack and saved frames"],
  ["frame", "Frame work", "the page's own work for each frame: median, and 95th percentile"],
  ["time", "Virtual time", "of the simulated world, and its pace"],
] as const;

type Name = (typeof NAMES)[number][0];

export class Figures {
  readonly #fields = {} as Record<Name, HTMLElement>;
  #samples: Sample[] = [];
  #world = 0;
  #writtenMs = 0;

  constructor() {
    for (const [name, title, help] of NAMES) {
      const field = make("dd", { id: `figure-${name}` });
      this.#fields[name] = field;
      byId("figures").append(make("div", { title: help }, [make("dt", { text: title }), field]));
    }
  }

  /** @param frame - the page's work, in ms. */
  show(picture: Picture, nowMs: number, frame: { median: number; p95: number }): void {
    if (picture.world !== this.#world) {
      this.#world = picture.world;
      this.#samples = [];
    }
    const { totals } = picture;
    this.#samples.push({ atMs: nowMs, totals });
    while (this.#samples.length > 2 && nowMs - this.#samples[1]!.atMs > WINDOW_MS) {
      this.#samples.shift();
    }
    if (nowMs - this.#writtenMs < WRITE_MS) return;
    this.#writtenMs = nowMs;
    const { atMs, totals: before } = this.#samples[0]!;
    const seconds = Math.max(1e-3, (nowMs - atMs) / 1e3);
    const switches = totals.switches - before.switches;
    const tasks = picture.hosts.reduce((sum, host) => sum + host.tasks, 0);
    const perSwitch = switches === 0 ? 0 : ((totals.runMs - before.runMs) * 1e6) / switches;
    const pace = (totals.virtualNs - before.virtualNs) / 1e9 / seconds;
    this.#write({
      tasks: count(tasks),
      switches: count(switches / seconds),
      switch: switches === 0 ? "–" : ns(perSwitch),
      turns: count((totals.turns - before.turns) / seconds),
      messages: count((totals.messages - before.messages) / seconds),
      bytes: bytes(picture.bytesPerTask),
      frame: `${frame.median.toFixed(1)} / ${frame.p95.toFixed(1)} ms`,
      time: `${(totals.virtualNs / 1e9).toFixed(1)} s (${pace.toFixed(2)} ×)`,
    });
  }

  #write(texts: Readonly<Record<Name, string>>): void {
    for (const [name] of NAMES) setText(this.#fields[name], texts[name]);
  }
}
