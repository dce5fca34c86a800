//! Every order of a case, or many random ones.
//!
//! An order is a list of choices: at each step, which of the things that can happen next does. An order
//! is run from the start; the next one in depth-first order differs in its last choice that had an
//! alternative left. So a list of choices is all it takes to run an order again.

import { ERRNO } from "../../ts/abi.gen.ts";
import type { Case } from "./case.ts";
import { generalLaws } from "./general-laws.ts";
import { History } from "./history.ts";
import { Machine } from "./machine.ts";

export interface Violation {
  readonly law: string;
  readonly message: string;
  readonly choices: readonly number[];
  /** The log. */
  readonly log: string;
}

export interface Explored {
  readonly orders: number;
  readonly steps: number;
  /** No order is missing. */
  readonly exhaustive: boolean;
  readonly violation: Violation | undefined;
}

/** More steps than any order of a case that ends. */
const STEPS_MAX = 300;

/** What can happen next; the number says to whom. */
const ENTER = 0;
const CANCEL = 100;
const COMPLETE = 200;
const COMPLETE_CANCELED = 300;
const TICK = 400;
const DELIVER = 401;
const RAISE = 402;
const OUTSIDE = 403;

type Choose = (step: number, count: number) => number;

export class Explorer {
  readonly #module: WebAssembly.Module;
  #machine: Machine;
  readonly #options = new Int32Array(64);
  #steps = 0;

  constructor(module: WebAssembly.Module) {
    this.#module = module;
    this.#machine = new Machine(module);
  }

  /** Every order, or the first `ordersMax`; ends with the first that breaks a law. */
  every(given: Case, ordersMax: number): Explored {
    const run = this.#prepare(given);
    // Of each step: what was chosen, and out of how many.
    const chosen: number[] = [];
    const counts: number[] = [];
    const choose: Choose = (step, count) => {
      if (step === chosen.length) {
        chosen.push(0);
        counts.push(count);
      } else if (counts[step] !== count) {
        throw new Error(`${given.name}: the same choices have led to another state`);
      }
      return chosen[step]!;
    };
    let orders = 0;
    this.#steps = 0;
    for (;;) {
      orders++;
      const violation = run(choose);
      if (violation !== undefined) return this.#explored(orders, false, violation);
      let last = chosen.length - 1;
      while (last >= 0 && chosen[last] === counts[last]! - 1) last--;
      if (last < 0) return this.#explored(orders, true, undefined);
      if (orders === ordersMax) return this.#explored(orders, false, undefined);
      chosen.length = counts.length = last + 1;
      chosen[last]!++;
    }
  }

  /** One order; where `choices` end, the first thing that can happen does. */
  one(given: Case, choices: Choose | readonly number[]): Explored & { readonly log: string } {
    const run = this.#prepare(given);
    const made: number[] = [];
    const choose = typeof choices === "function" ? choices : (step: number) => choices[step] ?? 0;
    this.#steps = 0;
    let history: History | undefined;
    const violation = run(
      (step, count) => {
        const choice = Math.min(choose(step, count), count - 1);
        made[step] = choice;
        return choice;
      },
      (read) => {
        history = read;
      },
    );
    return { ...this.#explored(1, false, violation), log: String(history) };
  }

  #explored(orders: number, exhaustive: boolean, violation: Violation | undefined): Explored {
    return { orders, steps: this.#steps, exhaustive, violation };
  }

  #prepare(given: Case) {
    this.#machine.load(given);
    let history = new History(given, this.#machine);
    const laws = Object.entries({ ...generalLaws(given), ...given.rules.laws });
    return (choose: Choose, look?: (history: History) => void): Violation | undefined => {
      const choices: number[] = [];
      const failed = this.#order(given, history, laws, (step, count) => {
        const choice = choose(step, count);
        choices.push(choice);
        return choice;
      });
      if (failed !== undefined && history.count === 0) history.read();
      look?.(history);
      if (failed === undefined) return undefined;
      const violation = { ...failed, choices, log: String(history) };
      // The fault may have left anything behind.
      this.#machine = new Machine(this.#module);
      this.#machine.load(given);
      history = new History(given, this.#machine);
      return violation;
    };
  }

  #order(
    given: Case,
    history: History,
    laws: readonly (readonly [string, (history: History) => string | undefined])[],
    choose: Choose,
  ): { law: string; message: string } | undefined {
    const machine = this.#machine;
    history.count = 0;
    try {
      machine.start();
      if (!this.#steer(given, choose)) {
        return { law: "an end", message: `it goes on after ${STEPS_MAX} steps` };
      }
      history.read();
      for (const [law, check] of laws) {
        const message = check(history);
        if (message !== undefined) return { law, message };
      }
      if (!machine.stop()) {
        return { law: "a cancel ends every wait", message: "tasks are left that cannot be ended" };
      }
      const left = machine.finish();
      if (left !== undefined) return { law: "nothing is left", message: `${left} is left` };
    } catch (error) {
      return { law: "no trap", message: String(error) };
    }
    return undefined;
  }

  /** Runs until nothing more can happen; false when it does not end. */
  #steer(given: Case, choose: Choose): boolean {
    const machine = this.#machine;
    const options = this.#options;
    let { cancels, raises } = given;
    let outside = 0;
    for (let step = 0; step < STEPS_MAX; step++) {
      if (given.deliversAtOnce && machine.undelivered) machine.deliver();
      let count = this.#readyScripts(given, options);
      if (cancels > 0) {
        for (const script of given.cancelable) {
          if (machine.isLive(script)) options[count++] = CANCEL + script;
        }
      }
      for (let index = 0; index < machine.inFlight.length; index++) {
        options[count++] = COMPLETE + index;
        if (machine.inFlight[index]!.cancelRequested) options[count++] = COMPLETE_CANCELED + index;
      }
      if (machine.timerArmed) options[count++] = TICK;
      if (machine.undelivered) options[count++] = DELIVER;
      if (raises > 0 && machine.tasksLive !== 0) options[count++] = RAISE;
      if (outside < given.outside.length) options[count++] = OUTSIDE;
      if (count === 0) {
        this.#steps += step;
        return true;
      }
      const option = options[choose(step, count)]!;
      if (option < CANCEL) machine.enter(option);
      else if (option < COMPLETE) {
        machine.cancel(option - CANCEL);
        cancels--;
      } else if (option < COMPLETE_CANCELED) machine.complete(option - COMPLETE, given.answer);
      else if (option < TICK) machine.complete(option - COMPLETE_CANCELED, -ERRNO.ECANCELED);
      else if (option === TICK) machine.tick();
      else if (option === DELIVER) machine.deliver();
      else if (option === RAISE) {
        machine.raise();
        raises--;
      } else machine.outside(outside, given.outside[outside++]!);
    }
    return false;
  }

  /**
   * The scripts whose tasks may go next, ascending: a list of choices must not depend on the queue's
   * order. Of tasks that cannot be told from each other the first starts first: the rest is the same
   * again.
   */
  #readyScripts(given: Case, options: Int32Array): number {
    const machine = this.#machine;
    let ready = 0;
    let fresh = 0;
    for (let task = machine.readyFirst; task !== 0; task = machine.readyNext(task)) {
      const bit = 1 << machine.scriptOf(task);
      ready |= bit;
      if (machine.isNew(task)) fresh |= bit;
    }
    let count = 0;
    for (let script = 0; ready >> script !== 0; script++) {
      if ((ready & (1 << script)) === 0) continue;
      const twin = given.twins[script]!;
      const waitsForTwin =
        twin >= 0 && (fresh & (1 << script)) !== 0 && (fresh & (1 << twin)) !== 0;
      if (!waitsForTwin) options[count++] = ENTER + script;
    }
    return count;
  }
}
