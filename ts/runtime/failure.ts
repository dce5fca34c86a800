//! Turns what went wrong in a task into one error that says so.

import { FAULT, TASK } from "../abi.gen.ts";
import { StackfulError } from "../errors.ts";
import type { Guest } from "../guest/guest.ts";
import { sizeClassBytes } from "../size-classes.ts";
import { nameFrames } from "./engine-stack.ts";

/** Thrown through the guest by proc_exit: not a failure, the whole program ends. */
export class GuestExit extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`the guest exited with code ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** The error for a task that the core has just failed, with `cause` from the engine or the host. */
export function taskError(guest: Guest, task: number, name: string, cause: unknown): StackfulError {
  nameFrames(cause);
  const fault = guest.bytes[task + TASK.fault];
  const who = `task "${name || "unnamed"}"`;
  const stackBytes = sizeClassBytes(guest.bytes[task + TASK.sizeClass]!);
  switch (fault) {
    case FAULT.C_STACK_OVERFLOW:
    case FAULT.FRAMES_OVERFLOW: {
      const which =
        fault === FAULT.C_STACK_OVERFLOW ? "its C stack" : "its saved frames and C stack";
      return new StackfulError(
        "SF_STACK_OVERFLOW",
        `${who} overflowed: ${which} needed ${guest.u32(task + TASK.faultBytes)} bytes of ${stackBytes}`,
        { hint: "spawn it with a larger stackBytes", cause },
      );
    }
    case FAULT.NESTED_SUSPEND:
      return new StackfulError(
        "SF_IMPORT",
        `${who} cannot park: a host function called back into the guest, and JavaScript frames cannot be saved`,
        { hint: "spawn a task instead of calling the export", cause },
      );
    case FAULT.HOST:
      return cause instanceof StackfulError
        ? cause
        : new StackfulError("SF_IMPORT", `${who} failed: a host import threw: ${String(cause)}`, {
            cause,
          });
    default:
      if (cause instanceof RangeError) {
        return new StackfulError(
          "SF_STACK_OVERFLOW",
          `${who} recursed deeper than the engine's stack`,
          {
            hint: "the recursion has no end, or needs node --stack-size",
            cause,
          },
        );
      }
      return new StackfulError("SF_TRAP", `${who} trapped: ${reasonOf(cause)}`, { cause });
  }
}

/** JavaScriptCore adds the line of JavaScript, which is ours and always the same. */
function reasonOf(cause: unknown): string {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return reason.replace(/ \(evaluating '.*'\)$/, "");
}

/** What ends a runtime, whoever threw it. */
export function asStackfulError(error: unknown): StackfulError {
  if (error instanceof StackfulError) return error;
  return new StackfulError("SF_IO", `the runtime broke: ${String(error)}`, { cause: error });
}

/** Of a failed task that nobody takes notice of. */
export function warn(error: StackfulError): void {
  const { process } = globalThis; // None in a browser.
  if (process?.emitWarning === undefined) console.warn(error);
  else process.emitWarning(error.message, { code: error.code });
}
