//! The sliders: real inputs, some of which go by powers of ten.

import type { Settings } from "../engine/protocol.ts";
import { byId, make } from "./dom.ts";
import { count, pace } from "./format.ts";

interface Slider {
  readonly name: keyof Settings;
  readonly title: string;
  readonly min: number;
  readonly max: number;
  /** Steps of the input from min to max. */
  readonly steps: number;
  readonly logarithmic: boolean;
  /** What a value is rounded to. */
  round(value: number): number;
  text(value: number): string;
}

const figures = (value: number, digits: number): number => Number(value.toPrecision(digits));

const SLIDERS: readonly Slider[] = [
  {
    name: "tasks",
    title: "Coroutines",
    min: 10,
    max: 100_000,
    steps: 80,
    logarithmic: true,
    round: (value) => figures(value, 2),
    text: count,
  },
  {
    name: "latencyMs",
    title: "Latency",
    min: 1,
    max: 250,
    steps: 60,
    logarithmic: true,
    round: (value) => figures(value, 2),
    text: (value) => `${value} ms`,
  },
  {
    name: "loss",
    title: "Loss",
    min: 0,
    max: 0.3,
    steps: 60,
    logarithmic: false,
    round: (value) => figures(value, 3),
    text: (value) => `${(100 * value).toFixed(1)} %`,
  },
  {
    name: "speed",
    title: "Speed",
    min: 0.01,
    max: 10,
    steps: 60,
    logarithmic: true,
    round: (value) => figures(value, 2),
    text: pace,
  },
  {
    name: "seed",
    title: "Seed",
    min: 1,
    max: 1_000,
    steps: 999,
    logarithmic: false,
    round: Math.round,
    text: String,
  },
];

export class Sliders {
  #settings: Settings;
  readonly #inputs = new Map<keyof Settings, HTMLInputElement>();
  readonly #changed: (settings: Settings, name: keyof Settings) => void;

  constructor(settings: Settings, changed: (settings: Settings, name: keyof Settings) => void) {
    this.#settings = settings;
    this.#changed = changed;
    byId("sliders").append(...SLIDERS.map((slider) => this.#build(slider)));
  }

  get settings(): Settings {
    return this.#settings;
  }

  /** As if somebody had moved the slider. */
  set(name: keyof Settings, value: number): void {
    const slider = SLIDERS.find((candidate) => candidate.name === name)!;
    const input = this.#inputs.get(name)!;
    input.value = String(positionOf(slider, value));
    input.dispatchEvent(new Event("input"));
  }

  #build(slider: Slider): HTMLElement {
    const { name, title, steps } = slider;
    const value = this.#settings[name];
    const output = make("output", { for: `slider-${name}`, text: slider.text(value) });
    const input = make("input", {
      type: "range",
      id: `slider-${name}`,
      min: 0,
      max: steps,
      step: 1,
    });
    input.value = String(positionOf(slider, value));
    input.setAttribute("aria-valuetext", slider.text(value));
    input.addEventListener("input", () => {
      const chosen = valueAt(slider, Number(input.value));
      output.textContent = slider.text(chosen);
      input.setAttribute("aria-valuetext", slider.text(chosen));
      this.#settings = { ...this.#settings, [name]: chosen };
      this.#changed(this.#settings, name);
    });
    this.#inputs.set(name, input);
    const label = make("label", { for: `slider-${name}`, text: title });
    return make("div", { class: "slider" }, [label, output, input]);
  }
}

function valueAt({ min, max, steps, logarithmic, round }: Slider, position: number): number {
  const part = position / steps;
  return round(logarithmic ? min * (max / min) ** part : min + (max - min) * part);
}

function positionOf({ min, max, steps, logarithmic }: Slider, value: number): number {
  const part = logarithmic
    ? Math.log(value / min) / Math.log(max / min)
    : (value - min) / (max - min);
  return Math.round(part * steps);
}
