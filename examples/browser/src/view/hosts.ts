//! The hosts' names above their cells: buttons that choose what the fault buttons act on.

import { HOSTS, isServer, type Picture } from "../engine/protocol.ts";
import { byId, make, setText } from "./dom.ts";
import { count } from "./format.ts";

export class Hosts {
  readonly #buttons: readonly HTMLButtonElement[];
  readonly #states = HOSTS.map(() => make("span", { class: "state" }));

  constructor(chosen: (host: number) => void) {
    this.#buttons = HOSTS.map(({ name, kind }, host) => {
      const label = make("span", { class: "name", text: name });
      const classes = isServer(kind) ? "host server" : "host";
      const button = make("button", { type: "button", class: classes }, [
        label,
        this.#states[host]!,
      ]);
      button.addEventListener("click", () => chosen(host));
      return button;
    });
    byId("hosts").append(...this.#buttons);
  }

  /** In CSS pixels of the picture. */
  place(boxes: readonly { x: number; y: number; width: number }[]): void {
    for (const [host, box] of boxes.entries()) {
      const { style } = this.#buttons[host]!;
      style.transform = `translate(${box.x}px, ${box.y}px)`;
      style.width = `${box.width}px`;
    }
  }

  update({ hosts }: Picture, chosen: number): void {
    for (const [host, { up, cut, tasks }] of hosts.entries()) {
      const button = this.#buttons[host]!;
      setText(this.#states[host]!, !up ? "killed" : cut ? "cut off" : count(tasks));
      button.classList.toggle("down", !up);
      button.classList.toggle("cut", cut);
      const pressed = String(host === chosen);
      if (button.getAttribute("aria-pressed") !== pressed) {
        button.setAttribute("aria-pressed", pressed);
      }
    }
  }
}
