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
  /** Absent: it is no TCP connection. */
  setNoDelay?(noDelay: boolean): void;
}

export interface DenoListener {
  readonly addr: DenoAddress;
  accept(): Promise<DenoConn>;
  close(): void;
  ref(): void;
  unref(): void;
}

export interface DenoUnixName {
  readonly transport: "unix";
  readonly path: string;
}

/** Standard output or error. */
export interface DenoWriter {
  /** Resolves to the bytes written. */
  write(from: Uint8Array): Promise<number>;
}

export interface DenoApi {
  readonly stdout: DenoWriter;
  readonly stderr: DenoWriter;
  listen(options: { hostname: string; port: number; tcpBacklog: number }): DenoListener;
  listen(options: DenoUnixName): DenoListener;
  connect(options: { hostname: string; port: number; signal: AbortSignal }): Promise<DenoConn>;
  connect(options: DenoUnixName): Promise<DenoConn>;
}

/** Deno's own functions; undefined on any other host. */
export const deno: DenoApi | undefined = (globalThis as { readonly Deno?: DenoApi }).Deno;
