//! What tests and the curious may read: `stackfulDemo` in the browser's console.

import type { Picture, Settings } from "./engine/protocol.ts";
import type { FrameWork } from "./frame-work.ts";

export interface Inspection {
  /** What was drawn last; undefined while a world opens. */
  picture(): Picture | undefined;
  readonly work: FrameWork;
  settings(): Settings;
  /** As if somebody had moved the slider. */
  set(name: keyof Settings, value: number): void;
  /** Of a fresh world after so much virtual time, run as fast as it can where this one runs. */
  fingerprint(settings: Settings, virtualMs: number): Promise<string>;
}

declare global {
  interface Window {
    stackfulDemo?: Inspection;
  }
}

export function inspect(inspection: Inspection): void {
  window.stackfulDemo = inspection;
}
