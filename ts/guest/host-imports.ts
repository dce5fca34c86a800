/**
 * Takes numbers, and bigints for i64 parameters: its own parameters may be either. What an async one, or one
 * named in `asyncImports`, resolves to is the result.
 */
export type HostFunction = { bivariant(...args: (number | bigint)[]): unknown }["bivariant"];

/** Host functions by import module and name. */
export type HostImports = Readonly<Record<string, Readonly<Record<string, HostFunction>>>>;
