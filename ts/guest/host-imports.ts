// biome-ignore lint/suspicious/noExplicitAny: a host function may take what the guest passes.
export type HostFunction = (...args: any[]) => unknown;

/** Host functions by import module and name. */
export type HostImports = Readonly<Record<string, Readonly<Record<string, HostFunction>>>>;
