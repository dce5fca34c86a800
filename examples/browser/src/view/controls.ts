//! The buttons and sliders, and what they tell the engine.

import { type Command, HOSTS, type Picture, SERVERS, type Settings } from "../engine/protocol.ts";
import { byId, setText } from "./dom.ts";
import { Sliders } from "./sliders.ts";

export interface ControlEvents {
  send(command: Command): void;
  /** The world is to run in a worker, or no longer. */
  worker(on: boolean): void;
  /** The world is to start anew. */
  reopen(): void;
}

/** The one that is chosen at first: killing it is what people try. */
const FIRST_HOST = HOSTS.findIndex(({ name }) => name === "echo-1");

export class Controls {
  paused = false;
  host = FIRST_HOST;
  readonly #sliders: Sliders;
  readonly #events: ControlEvents;
  #picture: Picture | undefined;

  constructor(start: Settings, events: ControlEvents) {
    this.#events = events;
    this.#sliders = new Sliders(start, (settings, name) => {
      if (name === "seed") events.reopen();
      else events.send({ type: "set", settings });
    });
    this.#onClick("pause", () => this.#setPaused(!this.paused));
    this.#onClick("step", () => {
      this.#setPaused(true);
      events.send({ type: "step" });
    });
    this.#onClick("replay", () => events.reopen());
    this.#onClick("kill", () => {
      events.send({ type: this.#status?.up === false ? "restart" : "kill", host: this.host });
    });
    this.#onClick("isolate", () => {
      events.send({ type: this.#status?.cut ? "heal" : "cut", host: this.host });
    });
    this.#onClick("cut", () => events.send({ type: this.#allCut ? "heal" : "cut" }));
    const worker = byId<HTMLInputElement>("worker");
    worker.addEventListener("change", () => events.worker(worker.checked));
  }

  get settings(): Settings {
    return this.#sliders.settings;
  }

  set(name: keyof Settings, value: number): void {
    this.#sliders.set(name, value);
  }

  /** The buttons say what they would do now. */
  update(picture: Picture): void {
    this.#picture = picture;
    const { name } = HOSTS[this.host]!;
    setText(byId("kill"), this.#status?.up === false ? `Restart ${name}` : `Kill ${name}`);
    setText(byId("isolate"), this.#status?.cut ? `Heal ${name}` : `Cut ${name} off`);
    setText(byId("cut"), this.#allCut ? "Heal the network" : "Cut the network");
  }

  get #status() {
    return this.#picture?.hosts[this.host];
  }

  get #allCut(): boolean {
    const { hosts = [] } = this.#picture ?? {};
    return SERVERS.every((host) => hosts[host]?.cut);
  }

  /** The world stands still while something else wants the machine, and goes on after that. */
  rest(resting: boolean): void {
    this.#events.send({ type: "pause", paused: resting || this.paused });
  }

  #setPaused(paused: boolean): void {
    this.paused = paused;
    byId("pause").setAttribute("aria-pressed", String(paused));
    setText(byId("pause"), paused ? "Go on" : "Pause");
    this.#events.send({ type: "pause", paused });
  }

  #onClick(id: string, what: () => void): void {
    byId(id).addEventListener("click", what);
  }
}
