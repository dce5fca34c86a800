//! Errors on their way from one thread to another: a structured clone keeps neither the class of an
//! error of ours nor its code.

import { StackfulError, type StackfulErrorCode } from "../errors.ts";

export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Of a StackfulError. */
  readonly code: StackfulErrorCode | undefined;
  readonly errno: string | undefined;
  readonly cause: WireError | string | undefined;
}

/** Causes of causes that are kept. */
const CAUSES_MAX = 8;

export function packError(error: unknown, causesMax = CAUSES_MAX): WireError {
  if (!(error instanceof Error)) return { ...NO_ERROR, message: String(error) };
  const { name, message, stack, cause } = error;
  const { code, errno } =
    error instanceof StackfulError ? error : { code: undefined, errno: undefined };
  return { name, message, stack, code, errno, cause: packCause(cause, causesMax) };
}

export function unpackError(wire: WireError): Error {
  const { name, message, stack, code, errno } = wire;
  const cause = typeof wire.cause === "object" ? unpackError(wire.cause) : wire.cause;
  const options = cause === undefined ? {} : { cause };
  const error =
    code === undefined
      ? plainError(name, message, options)
      : new StackfulError(code, message, { ...options, ...(errno === undefined ? {} : { errno }) });
  if (stack !== undefined) Object.defineProperty(error, "stack", { value: stack, writable: true });
  return error;
}

const NO_ERROR = {
  name: "Error",
  stack: undefined,
  code: undefined,
  errno: undefined,
  cause: undefined,
};

function packCause(cause: unknown, causesMax: number): WireError | string | undefined {
  if (cause === undefined) return undefined;
  return cause instanceof Error && causesMax > 0 ? packError(cause, causesMax - 1) : String(cause);
}

function plainError(name: string, message: string, options: ErrorOptions): Error {
  if (name === "TypeError") return new TypeError(message, options);
  if (name === "RangeError") return new RangeError(message, options);
  const error = new Error(message, options);
  if (name !== "Error") Object.defineProperty(error, "name", { value: name });
  return error;
}
