//! The race: who hands over faster, and who can hold how many coroutines at once.

import { hasJspi, type JspiNews, raceJspi } from "../race/jspi.ts";
import type { RaceNews, RaceOrder } from "../race/race-worker.ts";
import { byId, make, setText } from "./dom.ts";
import { bytes, count, ns } from "./format.ts";

/** What every contestant tries to hold: a million, where there is memory for it. */
function tasksMax(): number {
  const { deviceMemory = 8 } = navigator as { deviceMemory?: number };
  if (deviceMemory >= 8) return 1_000_000;
  return deviceMemory >= 4 ? 300_000 : 100_000;
}

/** Where the bar of a hand-over ends, in ns. */
const PACE_MAX_NS = 250;

class Lane {
  readonly row: HTMLTableRowElement;
  readonly #pace = make("td");
  readonly #held = make("td");
  readonly #said = make("td");
  readonly #max: number;

  constructor(title: string, what: string, max: number) {
    this.#max = max;
    const name = make("th", { scope: "row" }, [
      make("strong", { text: title }),
      make("span", { class: "hint", text: what }),
    ]);
    this.row = make("tr", {}, [name, this.#pace, this.#held, this.#said]);
  }

  pace(value: number): void {
    showBar(this.#pace, ns(value), value / PACE_MAX_NS, "");
  }

  held(value: number, broken = false): void {
    showBar(this.#held, count(value), value / this.#max, broken ? "broken" : "");
  }

  say(text: string): void {
    setText(this.#said, text);
  }

  clear(): void {
    for (const cell of [this.#pace, this.#held, this.#said]) cell.replaceChildren();
  }
}

function showBar(cell: HTMLElement, text: string, part: number, kind: string): void {
  if (cell.childElementCount === 0) {
    cell.append(make("span", { class: "value" }), make("span", { class: "bar" }, [make("i")]));
  }
  const [value, bar] = cell.children as unknown as [HTMLElement, HTMLElement];
  setText(value, text);
  bar.className = `bar ${kind}`;
  const { style } = bar.firstElementChild as HTMLElement;
  style.width = `${Math.min(100, Math.max(0.4, 100 * part))}%`;
}

export class RacePanel {
  readonly #max = tasksMax();
  readonly #stackful = new Lane("stackful", "C as it is; stacks in linear memory", this.#max);
  readonly #promises = new Lane("async / await", "every caller has to be async", this.#max);
  readonly #jspi = new Lane("JSPI", "wasm as it is; a stack of the engine's each", this.#max);
  readonly #button = byId<HTMLButtonElement>("race-start");

  /** @param busy - told while the race runs: the rest of the page had better rest. */
  constructor(busy: (racing: boolean) => void) {
    const lanes = [this.#stackful, this.#promises, this.#jspi];
    byId("race-rows").append(...lanes.map(({ row }) => row));
    this.#button.addEventListener("click", () => {
      this.#button.disabled = true;
      for (const lane of lanes) lane.clear();
      busy(true);
      void this.#run().finally(() => {
        busy(false);
        this.#button.disabled = false;
        setText(this.#button, "Race again");
      });
    });
  }

  async #run(): Promise<void> {
    const status = byId("race-status");
    for (const [who, lane] of [
      ["stackful", this.#stackful],
      ["promises", this.#promises],
    ] as const) {
      setText(status, `${who === "stackful" ? "stackful" : "async / await"} runs`);
      await this.#runInWorker({ who, tasksMax: this.#max }, lane);
    }
    setText(status, "JSPI runs");
    if (hasJspi()) {
      await raceJspi(this.#max, (news) => this.#jspiNews(news)).catch((error) =>
        this.#jspi.say(String(error)),
      );
    } else {
      this.#jspi.say("this browser has none");
    }
    setText(status, "");
  }

  /** Ending the worker frees its memory at once. */
  #runInWorker(order: RaceOrder, lane: Lane): Promise<void> {
    const worker = new Worker(new URL("../race/race-worker.ts", import.meta.url), {
      type: "module",
    });
    return new Promise<void>((resolve) => {
      worker.onerror = ({ message }) => {
        lane.say(message);
        resolve();
      };
      worker.onmessage = ({ data }: MessageEvent<RaceNews>) => {
        if (data.type === "pace") lane.pace(data.ns);
        else if (data.type === "failed") lane.say(data.reason);
        else lane.held(data.count);
        if (data.type === "done") lane.say(saidOf(data));
        if (data.type === "done" || data.type === "failed") resolve();
      };
      worker.postMessage(order);
    }).finally(() => worker.terminate());
  }

  #jspiNews(news: JspiNews): void {
    const lane = this.#jspi;
    switch (news.type) {
      case "pace":
        lane.pace(news.ns);
        break;
      case "held":
        lane.held(news.count);
        break;
      case "done":
        lane.held(news.count);
        lane.say(
          news.bounded
            ? "stopped by this page: more could end the page's own process here"
            : "all are there",
        );
        break;
      case "refused":
        lane.held(news.count, true);
        lane.say(`the engine refused one more: ${news.reason}`);
        break;
      case "died":
        lane.held(news.count, true);
        lane.say("then its process died (it had one of its own, so that this page lives)");
        break;
      case "failed":
        lane.say(news.reason);
    }
  }
}

function saidOf({ bytesEach }: { readonly bytesEach?: number }): string {
  return bytesEach === undefined
    ? "all woke up again"
    : `${bytes(bytesEach)} each; all woke up again`;
}
