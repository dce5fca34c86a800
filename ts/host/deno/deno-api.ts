//! What is used of Deno's own functions: types for them, and whether they are there.

export interface DenoAddress {
  readonly hostname: string;
  readonly port: number;
}

export interface DenoConn {
  readonly localAddr: DenoAddress;
  readonly remoteAddr: DenoAddress;
  /** Resolves to the bytes read, or null at the end. 0 is not the end. */
  read(into: Uint8Array): Promise<number | null>;
  write(from: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
  ref(): void;
  unref(): void;
  setNoDelay(noDelay: boolean): void;
}

export interface DenoListener {
  readonly addr: DenoAddress;
  accept(): Promise<DenoConn>;
  close(): void;
  ref(): void;
  unref(): void;
}

/** What Deno's permission functions can be asked about. Absent members: all of it. */
export type Permission =
  | { readonly name: "net"; readonly host?: string }
  | { readonly name: "read" | "write" | "ffi"; readonly path?: string }
  | { readonly name: "env"; readonly variable?: string }
  | { readonly name: "sys"; readonly kind?: string };

export interface DenoApi {
  listen(options: { hostname: string; port: number; tcpBacklog: number }): DenoListener;
  connect(options: { hostname: string; port: number; signal: AbortSignal }): Promise<DenoConn>;
  readonly permissions: {
    /** `partial`: granted, but not for everything that the descriptor covers. */
    querySync(permission: Permission): {
      readonly state: "granted" | "denied" | "prompt";
      readonly partial: boolean;
    };
  };
}

/** Deno's own functions; undefined on any other host. */
export const deno: DenoApi | undefined = (globalThis as { readonly Deno?: DenoApi }).Deno;
