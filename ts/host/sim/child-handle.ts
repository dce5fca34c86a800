//! A child process as a guest's handle.

import { ProcessHandle } from "../resources/process-handle.ts";
import type { Context } from "../resources/resource.ts";
import { signalOf } from "./signals.ts";
import type { SimProcess } from "./sim-process.ts";

export class ChildHandle extends ProcessHandle {
  readonly #process: SimProcess;

  constructor(context: Context, process: SimProcess) {
    super(context);
    this.#process = process;
    process.whenEnded((status) => this.ended(status));
  }

  protected override signal(kind: number): number {
    this.#process.signal(signalOf(kind));
    return 0;
  }

  protected override keepAlive(): void {}
}
