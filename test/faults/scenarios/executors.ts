//! An executor is killed in mid-transfer.

import assert from "node:assert/strict";
import { StackfulError } from "../../../ts/errors.ts";
import { ExecutorPool } from "../../../ts/executors/pool.ts";
import type { Random } from "../../../ts/host/sim/random.ts";
import { buildGuest } from "../../support/build-guest.ts";
import type { FaultBackend } from "../backends.ts";
import { LOOPBACK } from "../bench.ts";
import { Peer } from "../peers.ts";
import { addCounts, type Counts, type Scenario } from "../scenario.ts";
import { checkTally, TALLY_WORDS, type Tally, tallyOf } from "../tally.ts";

const VICTIM = 1;
const CONTROL_BYTES = 200_000;
const KILL_BYTES_MAX = 400_000;

/** Of test/executors/imports.mjs: it leaves the thread, or throws where nobody catches it. */
const ACCIDENTS = [1, 2];

const REGISTER = new URL("../../support/register-ts.mjs", import.meta.url).href;

export const executors: Scenario = {
  name: "executors",
  law: "an executor that is killed in mid-transfer is reported, and takes nobody else with it",
  without: { kqueue: "threads do not have the shim" },
  async run({ backend, random, size }) {
    const counts: Counts = {};
    for (let left = size === "short" ? 1 : 10; left > 0; left--) {
      addCounts(counts, await killOne(backend, random));
    }
    return counts;
  },
};

async function killOne(backend: FaultBackend, random: Random): Promise<Counts> {
  const { wasm } = await buildGuest("faults");
  const crashes: { error: StackfulError; executor: number }[] = [];
  const pool = await ExecutorPool.create(wasm, {
    executors: 2,
    backend,
    grants: LOOPBACK,
    imports: new URL("../../executors/imports.mjs", import.meta.url),
    execArgv: ["--import", REGISTER],
    limits: { shutdownMs: 1_000 },
    onCrash: (error, executor) => crashes.push({ error, executor }),
  });
  try {
    const counts = await crash(pool, random);
    assert.deepEqual(
      crashes.map(({ error, executor }) => [error.code, executor]),
      [["SF_EXECUTOR", VICTIM]],
      "the crash is reported, once",
    );
    assert.deepEqual(pool.running, [0]);
    return counts;
  } finally {
    await pool[Symbol.asyncDispose]();
  }
}

async function crash(pool: ExecutorPool, random: Random): Promise<Counts> {
  const at = new Place(pool, 0);
  const victim = new Place(pool, VICTIM);
  const server = await at.server();
  const doomed = await victim.server();
  const calls = { port: doomed.port, first: random.integer(2 ** 20) };
  const outside = new Peer({ calls: { ...calls, connections: [{ fault: "killed", at: 1 }] } });
  try {
    // To the victim and from it, from outside, and past it.
    const into = at.clients(doomed.port, 1_000, 4, -1);
    const lost = victim.clients(server.port, 2_000, 4, -1).catch((error: unknown) => error);
    const control = at.clients(server.port, 3_000, 4, CONTROL_BYTES);
    const bytes = 1 + random.integer(KILL_BYTES_MAX);
    const accident = ACCIDENTS[random.integer(ACCIDENTS.length)]!;
    const acting = victim.call("act_at", doomed.tally, bytes, accident);
    const error: unknown = await acting.catch((reason: unknown) => reason);
    assert(error instanceof StackfulError && error.code === "SF_EXECUTOR", String(error));
    assert.equal(await lost, error, "tasks of the executor end with its error");
    assert.equal(await doomed.ended, error, "tasks of the executor end with its error");
    // Some may not have been made yet.
    const { ended, reset, refused } = await into;
    assert.equal(ended + reset + refused, 4, "connections to it");
    assert.equal((await control).whole, 4, "connections that have nothing to do with it");
    const fromOutside = await outside.finish();
    const afterwards = await at.clients(server.port, 4_000, 2, CONTROL_BYTES);
    assert.equal(afterwards.whole, 2, "connections of those that go on");
    const served = await server.close();
    assert.equal(served.whole, 6);
    assert(served.ended + served.reset <= 4, "connections from it");
    return { killed: 1, ended, reset, bytes: served.bytes + fromOutside };
  } finally {
    await outside.end();
  }
}

/** One executor of a pool. */
class Place {
  readonly #pool: ExecutorPool;
  readonly #on: number;

  constructor(pool: ExecutorPool, on: number) {
    this.#pool = pool;
    this.#on = on;
  }

  async call(entry: string, ...args: number[]): Promise<number> {
    const result = await this.#spawn(entry, ...args);
    assert(typeof result === "number" && result >= 0, `${entry} gives ${String(result)}`);
    return result;
  }

  async clients(port: number, first: number, count: number, bytes: number): Promise<Tally> {
    const tally = await this.call("tally_new");
    await this.call("clients", port, first, count, bytes, tally);
    return this.#take(tally);
  }

  async server() {
    const tally = await this.call("tally_new");
    const listener = await this.call("server_listen", 64);
    const port = await this.call("server_port", listener);
    const task = this.#spawn("serve", listener, 1, tally);
    return {
      port,
      tally,
      ended: task.then(
        (result) => result,
        (error: unknown) => error,
      ),
      close: async (): Promise<Tally> => {
        task.cancel();
        assert.equal(await task, 0, "what the server ends with");
        return this.#take(tally);
      },
    };
  }

  #spawn(entry: string, ...args: number[]) {
    return this.#pool.spawn(entry, args, { on: this.#on, stackBytes: 65_536 });
  }

  async #take(address: number): Promise<Tally> {
    const view = new DataView(new ArrayBuffer(4 * TALLY_WORDS));
    for (let field = 0; field < TALLY_WORDS; field++) {
      view.setInt32(4 * field, Number(await this.#spawn("tally_field", address, field)), true);
    }
    await this.#spawn("tally_free", address);
    const tally = tallyOf(view);
    checkTally(tally);
    return tally;
  }
}
