//! JSPI in a frame of its own, because it may take its process with it.

import guest from "../../../../dist/examples/browser/jspi.wasm?url";
import code from "./jspi-frame.js?raw";

/** Where the frame shares the page's process, the page would go too: long before the end. */
const STACKS_MAX_SHARED = 2_000;

/** No news for so long, while it made stacks: its process is no more. */
const SILENCE_MS = 2_500;

/** While the frame spins for 150 ms, a page in the same process stands still as long. */
const HELD_MS = 90;

export type JspiNews =
  | { readonly type: "pace"; readonly ns: number }
  | { readonly type: "held"; readonly count: number }
  | { readonly type: "done"; readonly count: number; readonly bounded: boolean }
  | { readonly type: "refused"; readonly count: number; readonly reason: string }
  | { readonly type: "died"; readonly count: number }
  | { readonly type: "failed"; readonly reason: string };

type FrameNews =
  | { readonly type: "spinning" | "spun" | "ready" }
  | Exclude<JspiNews, { type: "died" | "done" }>
  | { readonly type: "done"; readonly count: number };

export const hasJspi = (): boolean => "Suspending" in WebAssembly && "promising" in WebAssembly;

/** Resolves when it has finished, or its process has. */
export async function raceJspi(stacksMax: number, tell: (news: JspiNews) => void): Promise<void> {
  const bytes = await (await fetch(guest)).arrayBuffer();
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.title = "JSPI";
  frame.setAttribute("sandbox", "allow-scripts");
  frame.srcdoc = `<script>${code}</script>`;
  document.body.append(frame);
  try {
    await new Promise<void>((resolve) => frame.addEventListener("load", () => resolve()));
    const send = (message: unknown): void => frame.contentWindow?.postMessage(message, "*");
    send({ bytes, stacksMax, stacksMaxShared: STACKS_MAX_SHARED });
    await follow(frame, stacksMax, send, tell);
  } finally {
    frame.remove();
  }
}

function follow(
  frame: HTMLIFrameElement,
  stacksMax: number,
  send: (message: unknown) => void,
  tell: (news: JspiNews) => void,
): Promise<void> {
  return new Promise((resolve) => {
    const holdWatch = new HoldWatch();
    let held = 0;
    let silence: ReturnType<typeof setTimeout> | undefined;
    const end = (news: JspiNews): void => {
      clearTimeout(silence);
      removeEventListener("message", onNews);
      holdWatch.stop();
      tell(news);
      resolve();
    };
    const onNews = ({ source, data }: MessageEvent<FrameNews>): void => {
      if (source !== frame.contentWindow) return;
      switch (data.type) {
        case "spinning":
          holdWatch.start();
          break;
        case "spun":
          holdWatch.stop();
          break;
        case "ready":
          send({ isolated: holdWatch.longestMs < HELD_MS });
          break;
        case "held":
          held = data.count;
          clearTimeout(silence);
          silence = setTimeout(() => end({ type: "died", count: held }), SILENCE_MS);
          tell(data);
          break;
        case "pace":
          tell(data);
          break;
        case "done":
          end({ ...data, bounded: data.count < stacksMax });
          break;
        default:
          end(data);
      }
    };
    addEventListener("message", onNews);
  });
}

/** How long the page's event loop has stood still. */
class HoldWatch {
  longestMs = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #lastMs = 0;

  start(): void {
    this.#lastMs = performance.now();
    this.#timer = setInterval(() => this.#look(), 4);
  }

  stop(): void {
    if (this.#timer === undefined) return;
    this.#look();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const nowMs = performance.now();
    this.longestMs = Math.max(this.longestMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
  }
}
