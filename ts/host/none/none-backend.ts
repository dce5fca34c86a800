//! The backend of a host that has no files and no sockets: what would open one fails with ENOSYS.
//! Tasks, timers, channels and host imports do without. Runs anywhere, browsers included.

import { ERRNO } from "../../abi.gen.ts";
import { SYSTEM } from "../../guest/environment.ts";
import type { Backend, BackendOptions } from "../backend.ts";
import { type Capabilities, capabilities } from "../capability.ts";
import { nextMacrotask } from "../macrotask.ts";
import { RingBackend } from "../resources/ring-backend.ts";

const NOTHING: Capabilities = capabilities({});

/** @throws {RangeError} {TypeError} as every backend does; grants name nothing that it could reach. */
export async function openNone(options: BackendOptions): Promise<Backend> {
  return new NoneBackend(options);
}

class NoneBackend extends RingBackend {
  readonly name = "none";
  readonly environment = SYSTEM;
  protected override readonly capabilities = NOTHING;
  #silenced = false;

  protected override startOpener(): number {
    return -ERRNO.ENOSYS;
  }

  /** Nothing finishes outside of a turn. */
  protected override ring(): void {}

  protected override ringLater(): void {
    this.#silenced = false;
    nextMacrotask(() => {
      if (!this.#silenced) this.onReady();
    });
  }

  protected override silence(): void {
    this.#silenced = true;
  }
}
