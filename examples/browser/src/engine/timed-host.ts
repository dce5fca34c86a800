//! A host that notes how long its programs run, without the network between them.

import type { RuntimeOptions } from "stackful";
import type { SimHost } from "stackful/sim";

type Provider = Extract<RuntimeOptions["backend"], object>;
type Backend = Awaited<ReturnType<Provider["open"]>>;
type Driver = NonNullable<Backend["driver"]>;
type DrivenLoop = Parameters<Driver["add"]>[0];

export class TimedHost implements Provider {
  /** Real time that its programs have run, in ms: switches, their own code, and the start of I/O. */
  runMs = 0;
  readonly #host: SimHost;

  constructor(host: SimHost) {
    this.#host = host;
  }

  async open(options: Parameters<Provider["open"]>[0]): Promise<Backend> {
    const backend = await this.#host.open(options);
    Object.defineProperty(backend, "driver", { value: this.#timed(backend.driver!) });
    return backend;
  }

  #timed(driver: Driver): Driver {
    const loops = new Map<DrivenLoop, TimedLoop>();
    return {
      add: (loop) => {
        loops.set(loop, new TimedLoop(loop, this));
        driver.add(loops.get(loop)!);
      },
      remove: (loop) => {
        driver.remove(loops.get(loop)!);
        loops.delete(loop);
      },
      wake: (loop) => driver.wake(loops.get(loop)!),
      sleep: (ns) => driver.sleep(ns),
    };
  }
}

class TimedLoop implements DrivenLoop {
  readonly #loop: DrivenLoop;
  readonly #host: TimedHost;

  constructor(loop: DrivenLoop, host: TimedHost) {
    this.#loop = loop;
    this.#host = host;
  }

  step(budget: number): boolean {
    const startMs = performance.now();
    const more = this.#loop.step(budget);
    this.#host.runMs += performance.now() - startMs;
    return more;
  }

  fail(error: Parameters<DrivenLoop["fail"]>[0]): void {
    this.#loop.fail(error);
  }

  get deadlineNs(): number {
    return this.#loop.deadlineNs;
  }

  get hostCalls(): number {
    return this.#loop.hostCalls;
  }
}
