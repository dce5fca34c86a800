//! The engine in a worker. It runs only while a frame is asked for, as it does in the page.

import { LocalEngine } from "./local-engine.ts";
import type { Command, Picture, Settings } from "./protocol.ts";

export type ToWorker =
  | { readonly type: "command"; readonly command: Command }
  | { readonly type: "frame"; readonly budgetMs: number }
  | { readonly type: "fingerprint"; readonly settings: Settings; readonly virtualMs: number };

export type FromWorker =
  | { readonly type: "picture"; readonly picture: Picture | undefined }
  | { readonly type: "fingerprint"; readonly print: string }
  | { readonly type: "failed"; readonly message: string };

const engine = new LocalEngine((message) => post({ type: "failed", message }));
const post = (message: FromWorker, transfer: Transferable[] = []): void =>
  globalThis.postMessage(message, { transfer });

addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
  switch (data.type) {
    case "command":
      engine.send(data.command);
      break;
    case "frame": {
      const picture = engine.frame(data.budgetMs);
      const buffers = [picture?.cells, picture?.messages, picture?.density, picture?.errors];
      const transfer = buffers.flatMap((array) => (array === undefined ? [] : [array.buffer]));
      post({ type: "picture", picture }, transfer);
      break;
    }
    case "fingerprint":
      void engine
        .fingerprint(data.settings, data.virtualMs)
        .then((print) => post({ type: "fingerprint", print }));
  }
});
