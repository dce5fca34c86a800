//! What guests report: see guests/report.h.

import { ERRNO } from "../../ts/abi.gen.ts";

const REPORTS_MAX = 8192;
const HEAD_BYTES = 8;
const REPORT_BYTES = 32;
const FIELDS = 5;

/** Fields as the guest wrote them; which are negated errnos is the scenario's to know. */
export interface Report {
  readonly atNs: number;
  readonly kind: number;
  readonly fields: readonly number[];
}

/**
 * Everything that a guest has reported, in order.
 *
 * @throws {RangeError} when it was more than there is room for.
 */
export function readReports(memory: WebAssembly.Memory, address: number): Report[] {
  const view = new DataView(memory.buffer);
  const count = view.getUint32(address, true);
  if (count > REPORTS_MAX) throw new RangeError(`${count} reports, at most ${REPORTS_MAX}`);
  const reports: Report[] = [];
  for (let index = 0; index < count; index++) {
    const at = address + HEAD_BYTES + index * REPORT_BYTES;
    const fields: number[] = [];
    for (let field = 0; field < FIELDS; field++) {
      fields.push(view.getInt32(at + 12 + 4 * field, true));
    }
    reports.push({
      atNs: Number(view.getBigUint64(at, true)),
      kind: view.getUint32(at + 8, true),
      fields,
    });
  }
  return reports;
}

const NAMES = new Map<number, string>(Object.entries(ERRNO).map(([name, code]) => [code, name]));

/** "ECONNRESET" of a negated errno; the number of anything else. */
export function errorName(result: number): string {
  return result < 0 ? (NAMES.get(-result) ?? String(result)) : String(result);
}

type ErrorName = keyof typeof ERRNO;

/** Errors that a program may meet, by their names. */
export class ErrorSet {
  readonly #names: readonly ErrorName[];

  constructor(...names: readonly ErrorName[]) {
    this.#names = names;
  }

  with(...names: readonly ErrorName[]): ErrorSet {
    return new ErrorSet(...this.#names, ...names);
  }

  has(result: number): boolean {
    const name: string = errorName(result);
    return this.#names.some((each) => each === name);
  }
}
