//! What the colors mean, and how many coroutines have each.

import type { Picture } from "../engine/protocol.ts";
import { byId, make, setText } from "./dom.ts";
import { count } from "./format.ts";
import { KINDS, kindOf, RAN } from "./palette.ts";

/** How often it is written, in ms. */
const WRITE_MS = 200;

export class Legend {
  readonly #counts = KINDS.map(() => make("span", { class: "count" }));
  readonly #rare: HTMLElement;
  #writtenMs = 0;

  constructor() {
    const items = KINDS.map(({ name, variable }, index) => {
      const swatch = make("span", { class: "swatch", style: `background: var(${variable})` });
      return make("li", {}, [swatch, document.createTextNode(name), this.#counts[index]!]);
    });
    this.#rare = items.at(-1)!;
    byId("legend").append(...items);
  }

  update({ waits, waitCounts }: Picture, nowMs: number): void {
    if (nowMs - this.#writtenMs < WRITE_MS) return;
    this.#writtenMs = nowMs;
    const sums = new Array<number>(KINDS.length).fill(0);
    for (const counts of Object.values(waitCounts)) {
      for (const [index, tasks] of counts.entries()) {
        if (index > 0) sums[kindOf(waits[index]!)]! += tasks;
      }
    }
    for (const [kind, sum] of sums.entries()) {
      setText(this.#counts[kind]!, kind === RAN ? "" : count(sum));
    }
    this.#rare.hidden = sums.at(-1) === 0;
  }
}
