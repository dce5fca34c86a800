//! Where a case of the shared suite runs, and what it checks with.

import type { BackendName, GuestSource, Runtime, RuntimeOptions } from "../../ts/index.ts";

/** What a backend needs for a case. */
export type Need = "tcp" | "udp" | "files";

/** Where a case runs. */
export interface Place {
  readonly backend: BackendName;
  /** Of test/support/guests, linked. */
  readonly guests: { readonly hosts: GuestSource; readonly io: GuestSource };
  /** A directory that the guest may be granted. */
  readonly directory: string;
  readonly Runtime: typeof Runtime;
}

export interface HostCase {
  /** What holds. */
  readonly title: string;
  readonly needs?: Need;
  /** @throws {Error} when it does not hold. */
  run(bench: Bench): Promise<void>;
}

/** What a case is given. */
export class Bench implements AsyncDisposable {
  readonly place: Place;
  readonly opened: Runtime[] = [];

  constructor(place: Place) {
    this.place = place;
  }

  /** A runtime of the guest without I/O. */
  hosts(options: RuntimeOptions = {}): Promise<Runtime> {
    const later = async (value: number): Promise<number> => value + 1;
    return this.#open(this.place.guests.hosts, { imports: { env: { later } }, ...options });
  }

  /** A runtime of the guest with sockets and files, which is granted all of them. */
  io(options: RuntimeOptions = {}): Promise<Runtime> {
    const directories = [{ host: this.place.directory, guest: "/data" }];
    const grants = { listen: ["127.0.0.1:*"], connect: ["127.0.0.1:*"], directories };
    return this.#open(this.place.guests.io, { grants, ...options });
  }

  async #open(source: GuestSource, options: RuntimeOptions): Promise<Runtime> {
    const runtime = await this.place.Runtime.create(source, {
      backend: this.place.backend,
      ...options,
    });
    this.opened.push(runtime);
    return runtime;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const runtime of this.opened) await runtime[Symbol.asyncDispose]();
  }
}

/** @throws {Error} unless both have the same content. */
export function same(actual: unknown, expected: unknown): void {
  const [is, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== wanted) throw new Error(`is ${is}, not ${wanted}`);
}

/** @throws {Error} unless `text` matches. */
export function matches(text: string, pattern: RegExp): void {
  if (!pattern.test(text)) throw new Error(`"${text}" does not match ${String(pattern)}`);
}

/** What a promise rejects with. @throws {Error} when it does not reject. */
export async function rejection(
  promise: PromiseLike<unknown>,
): Promise<Error & { readonly code?: string }> {
  const value = await Promise.resolve(promise).then(
    (result) => ({ result }),
    (error: Error) => error,
  );
  if (value instanceof Error) return value;
  throw new Error(`ended with ${String(value.result)} and was to fail`);
}

/** A case that is an export of a guest, which returns 0 or the line that does not hold. */
export function law(title: string, guest: "hosts" | "io", entry: string, needs?: Need): HostCase {
  return {
    title,
    ...(needs === undefined ? {} : { needs }),
    run: async (bench) => {
      const runtime = await bench[guest]();
      const line = await runtime.spawn(entry, [], { stackBytes: 65_536 });
      if (line !== 0) throw new Error(`the law broken at ${entry}, line ${String(line)}`);
    },
  };
}
