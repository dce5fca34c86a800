//! The functions of stackful/executor.h: what a guest can do with the executors there are.

import { SHARED } from "../abi.gen.ts";
import type { Guest } from "../guest/guest.ts";
import type { HostFunction, HostImports } from "../guest/host-imports.ts";
import type { Backend } from "../host/backend.ts";
import { Arena, CHANNEL_BYTES } from "./arena.ts";
import { GuestChannels } from "./guest-channels.ts";
import { GuestSpawns } from "./guest-spawns.ts";

/** The module that the guest imports them from. */
export const EXECUTOR_MODULE = "stackful_executor";

export interface ExecutorHost {
  readonly guest: Guest;
  readonly backend: Backend;
  /** Of the promises that tasks wait for. */
  readonly awaits: { readonly pending: number };
  /** Asks for a turn. */
  wake(): void;
}

export class GuestExecutor {
  readonly channels: GuestChannels;
  readonly spawns: GuestSpawns;
  /** What it works with, of an executor of a pool; set once it is there. */
  host: ExecutorHost | undefined;
  /** Of the pool: see BackendOptions. */
  readonly pool: Uint8Array | undefined;
  readonly #arena: Arena;
  readonly #executors: number;
  #guest: Guest | undefined;

  /** Of a runtime that is no executor of a pool: the only one. */
  static alone(): GuestExecutor {
    return new GuestExecutor(Arena.create(new ArrayBuffer(CHANNEL_BYTES), 1, 0), 1);
  }

  constructor(arena: Arena, executors: number, pool?: Uint8Array) {
    this.pool = pool;
    this.#arena = arena;
    this.#executors = executors;
    this.channels = new GuestChannels(arena);
    this.spawns = new GuestSpawns(arena, executors);
  }

  /** @param wake - asks for a turn. */
  attach(guest: Guest, wake: () => void): void {
    this.#guest = guest;
    this.channels.attach(guest, wake);
  }

  /** After every run. */
  look(): void {
    this.#arena.setLoad(this.#guest!.sharedU32(SHARED.tasksLive));
    this.channels.look();
  }

  /** Not async, any of them: a poll must not park. */
  get imports(): HostImports {
    const functions: Record<string, HostFunction> = {
      current: () => this.#arena.party,
      count: () => this.#executors,
      spawn: (place: number, entry: number, argument: number, bytes: number) =>
        this.spawns.spawn(place, entry >>> 0, this.#guest!.bytes, argument >>> 0, bytes >>> 0),
      ...this.channels.functions,
    };
    return { [EXECUTOR_MODULE]: functions };
  }
}
