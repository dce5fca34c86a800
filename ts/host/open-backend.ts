//! Opens the best backend that the host allows.

import { CANDIDATES } from "#platform/host/candidates";
import { OP } from "../abi.gen.ts";
import { StackfulError } from "../errors.ts";
import { environmentVariable } from "../permissions.ts";
import type { Backend, BackendName, BackendOptions, BackendProvider } from "./backend.ts";
import { type Capability, OPERATIONS, type OperationName } from "./capability.ts";

/** Why a better backend is not the one in use. */
export interface BackendReason {
  readonly name: BackendName;
  readonly reason: string;
}

export interface OpenedBackend {
  readonly backend: Backend;
  readonly reasons: readonly BackendReason[];
}

export interface BackendSurvey {
  readonly name: BackendName;
  /** Why it cannot open. Absent: it can. */
  readonly reason?: string;
  /** What it can do. Absent: it cannot open. */
  readonly operations?: Readonly<Record<OperationName, Capability>>;
}

/** What this host may have, best first. */
export const BACKENDS: readonly BackendName[] = CANDIDATES.map(({ name }) => name);

/**
 * Opens the backend called `choice`, or with "auto" the best one that the host allows. The
 * environment variable STACKFUL_BACKEND, where set and not "auto", overrides a
 * `choice` that is a name.
 *
 * @returns the backend, and for every better one why it is not used.
 * @throws {StackfulError} `SF_IO` when the backend that was named, or every one, cannot open; the
 *   message says why.
 * @throws {RangeError} when STACKFUL_BACKEND names no backend.
 */
export async function openBackend(
  choice: "auto" | BackendName | BackendProvider,
  options: BackendOptions,
): Promise<OpenedBackend> {
  if (typeof choice === "object") return { backend: await choice.open(options), reasons: [] };
  const wanted = forcedBackend() ?? choice;
  const candidates = CANDIDATES.filter(({ name }) => wanted === "auto" || wanted === name);
  const reasons: BackendReason[] = [];
  const causes: unknown[] = [];
  for (const candidate of candidates) {
    try {
      return { backend: await candidate.open(options), reasons };
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      reasons.push({ name: candidate.name, reason: error.message });
      causes.push(error);
    }
  }
  const known = reasons.map(({ name, reason }) => `${name}: ${reason}`).join("; ");
  const why = known === "" ? "this host has none of that name" : known;
  throw new StackfulError("SF_IO", `open I/O backend ${wanted}: ${why}`, {
    errno: "ENOSYS",
    ...(wanted === "auto" ? {} : { hint: 'use backend "auto" to fall back to another' }),
    cause: new AggregateError(causes, why),
  });
}

/** Opens and closes every backend. Returns all, best first, those that cannot open with the reason. */
export async function surveyBackends(options: BackendOptions): Promise<BackendSurvey[]> {
  const survey: BackendSurvey[] = [];
  for (const { name, open } of CANDIDATES) {
    try {
      const backend = await open(options);
      survey.push({ name, operations: operationsOf(backend) });
      await backend[Symbol.asyncDispose]();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      survey.push({ name, reason: error.message });
    }
  }
  return survey;
}

function operationsOf(backend: Backend): Record<OperationName, Capability> {
  const entries = OPERATIONS.map((name) => [name, backend.capability(OP[name])]);
  return Object.fromEntries(entries) as Record<OperationName, Capability>;
}

/** The host lacks the mechanism: the next candidate is safe to try. Anything else is an error. */
function isUnavailable(error: unknown): error is StackfulError {
  return error instanceof StackfulError && (error.errno === "ENOSYS" || error.errno === "EPERM");
}

function forcedBackend(): BackendName | undefined {
  const value = environmentVariable("STACKFUL_BACKEND") ?? "";
  if (value === "" || value === "auto") return undefined;
  const name = BACKENDS.find((backend) => backend === value);
  if (name !== undefined) return name;
  const names = BACKENDS.join(", ");
  throw new RangeError(`STACKFUL_BACKEND=${value}: no such backend (one of auto, ${names})`);
}
