//! The coroutine that is chosen: what it waits for, and where it is.

import { HOSTS, type TaskDetail } from "../engine/protocol.ts";
import { byId, make, setText } from "./dom.ts";
import { bytes, count, ms } from "./format.ts";

const FIELDS = ["Waits for", "Waiting", "Age", "Switches", "Stack"] as const;

export class TaskPanel {
  readonly #panel = byId("task");
  readonly #title = make("h2");
  readonly #fields = FIELDS.map(() => make("dd"));
  readonly #stack = make("ol", { class: "stack", "aria-label": "Its stack, innermost first" });
  #shown = "";

  constructor() {
    this.show(undefined);
  }

  show(task: TaskDetail | undefined): void {
    if (task === undefined) {
      this.#shown = "";
      this.#panel.replaceChildren(
        make("p", { class: "hint", text: "No coroutine is chosen: click a cell." }),
      );
      return;
    }
    if (this.#shown === "") this.#build();
    setText(this.#title, nameOf(task));
    const values = [
      task.waitsFor,
      ms(task.waitsMs),
      ms(task.ageMs),
      count(task.switches),
      `${bytes(task.stackUsedBytes)} of ${bytes(task.stackBytes)}`,
    ];
    for (const [index, value] of values.entries()) setText(this.#fields[index]!, value);
    const stack = task.stack.join("\n");
    if (stack !== this.#shown) {
      this.#shown = stack || "-";
      this.#stack.replaceChildren(...task.stack.map((name) => make("li", { text: name })));
    }
  }

  #build(): void {
    const list = make(
      "dl",
      {},
      FIELDS.map((name, index) =>
        make("div", {}, [make("dt", { text: name }), this.#fields[index]!]),
      ),
    );
    this.#stack.replaceChildren();
    this.#panel.replaceChildren(this.#title, list, this.#stack);
  }
}

/** As the announcement and the panel call it. */
export function nameOf({ host, entry, id }: TaskDetail): string {
  return `${entry} ${id} on ${HOSTS[host]!.name}`;
}
