//! What has gone wrong in the programs, by kind.

import type { Picture } from "../engine/protocol.ts";
import { byId, make, setText } from "./dom.ts";
import { count } from "./format.ts";

/** By enum sf_errno: those that a network can cause, and what cancels. */
const NAMES: Readonly<Record<number, string>> = {
  73: "timed out",
  15: "connection reset",
  14: "connection refused",
  64: "closed by the other end",
  11: "canceled",
  61: "lines missed",
  23: "host unreachable",
  9: "bad message",
};

export class Errors {
  readonly #list = byId("errors");
  readonly #items = new Map<string, HTMLElement>();

  constructor() {
    for (const name of [...Object.values(NAMES), "other"]) {
      const value = make("strong", { text: "0" });
      const item = make("li", { hidden: name === "other" || name === "bad message" }, [
        value,
        document.createTextNode(` ${name}`),
      ]);
      this.#items.set(name, item);
      this.#list.append(item);
    }
  }

  update({ errors }: Picture): void {
    const sums = new Map<string, number>();
    for (const [index, number] of errors.entries()) {
      const name = NAMES[index] ?? "other";
      sums.set(name, (sums.get(name) ?? 0) + number);
    }
    for (const [name, item] of this.#items) {
      const sum = sums.get(name) ?? 0;
      setText(item.firstElementChild as HTMLElement, count(sum));
      item.classList.toggle("some", sum > 0);
      if (sum > 0) item.hidden = false;
    }
  }
}
