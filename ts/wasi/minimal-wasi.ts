//! WASI preview 1 where the host has none: arguments, environment, clocks, random numbers, exit, and
//! standard output and error by line. Everything else answers ENOSYS or EBADF, as the specification
//! allows for what is not there.

import { ERRNO } from "../abi.gen.ts";
import type { HostFunction } from "../guest/host-imports.ts";
import { PREVIEW1, type PrintLine, type WasiOptions, type WasiProvider } from "./provider.ts";

const FILETYPE_CHARACTER_DEVICE = 2;
const CLOCK_REALTIME = 0;

/** What else a module may import; they fail cleanly. */
const UNSUPPORTED = [
  "fd_advise fd_allocate fd_datasync fd_fdstat_set_flags fd_fdstat_set_rights fd_filestat_get",
  "fd_filestat_set_size fd_filestat_set_times fd_pread fd_pwrite fd_readdir fd_renumber fd_seek",
  "fd_sync fd_tell path_create_directory path_filestat_get path_filestat_set_times path_link",
  "path_open path_readlink path_remove_directory path_rename path_symlink path_unlink_file",
  "poll_oneoff proc_raise sock_accept sock_recv sock_send sock_shutdown",
]
  .join(" ")
  .split(" ");

export function openMinimalWasi(options: WasiOptions, print: PrintLine): WasiProvider {
  const { environment } = options;
  let memory: WebAssembly.Memory | undefined;
  const view = (): DataView => new DataView(memory!.buffer);
  const bytes = (address: number, length: number): Uint8Array<ArrayBuffer> =>
    new Uint8Array(memory!.buffer as ArrayBuffer, address >>> 0, length >>> 0);
  const encoder = new TextEncoder();
  const args = options.args.map((text) => encoder.encode(`${text}\0`));
  const environ = Object.entries(options.env).map(([key, value]) =>
    encoder.encode(`${key}=${value}\0`),
  );

  const sizes = (list: readonly Uint8Array[]) => (countOut: number, bytesOut: number) => {
    view().setUint32(countOut, list.length, true);
    view().setUint32(
      bytesOut,
      list.reduce((sum, item) => sum + item.length, 0),
      true,
    );
    return 0;
  };
  const strings = (list: readonly Uint8Array[]) => (pointersOut: number, bytesOut: number) => {
    let at = bytesOut;
    list.forEach((item, index) => {
      view().setUint32(pointersOut + 4 * index, at, true);
      bytes(at, item.length).set(item);
      at += item.length;
    });
    return 0;
  };

  const lines = [new LineBuffer("stdout", print), new LineBuffer("stderr", print)] as const;
  const flush = (): void => {
    for (const line of lines) line.flush();
  };
  const functions: Record<string, HostFunction> = {
    args_sizes_get: sizes(args),
    args_get: strings(args),
    environ_sizes_get: sizes(environ),
    environ_get: strings(environ),
    clock_res_get: (_clock: number, out: number) => {
      view().setBigUint64(out, 1000n, true);
      return 0;
    },
    clock_time_get: (clock: number, _precision: bigint, out: number) => {
      view().setBigUint64(
        out,
        clock === CLOCK_REALTIME ? environment.wallNs() : BigInt(environment.monotonicNs()),
        true,
      );
      return 0;
    },
    random_get: (address: number, length: number) => {
      environment.fillRandom(bytes(address, length));
      return 0;
    },
    fd_write: (fd: number, vectors: number, count: number, writtenOut: number) => {
      const line = lines[fd - 1];
      if (line === undefined) return ERRNO.EBADF;
      let written = 0;
      for (let index = 0; index < count; index++) {
        const length = view().getUint32(vectors + 8 * index + 4, true);
        line.write(bytes(view().getUint32(vectors + 8 * index, true), length).slice());
        written += length;
      }
      view().setUint32(writtenOut, written, true);
      return 0;
    },
    fd_read: (fd: number, _vectors: number, _count: number, readOut: number) => {
      if (fd !== 0) return ERRNO.EBADF;
      view().setUint32(readOut, 0, true);
      return 0;
    },
    fd_close: (fd: number) => (fd >= 0 && fd <= 2 ? 0 : ERRNO.EBADF),
    fd_fdstat_get: (fd: number, out: number) => {
      if (fd < 0 || fd > 2) return ERRNO.EBADF;
      bytes(out, 24).fill(0);
      view().setUint8(out, FILETYPE_CHARACTER_DEVICE);
      view().setBigUint64(out + 8, 0xffff_ffffn, true);
      return 0;
    },
    fd_prestat_get: () => ERRNO.EBADF,
    fd_prestat_dir_name: () => ERRNO.EBADF,
    sched_yield: () => 0,
    proc_exit: (code: number) => {
      flush();
      options.exit(code);
    },
  };
  for (const name of UNSUPPORTED) {
    functions[name] = () => (name.startsWith("fd_") ? ERRNO.EBADF : ERRNO.ENOSYS);
  }
  return {
    imports: { [PREVIEW1]: functions },
    attach: (attached) => {
      memory = attached;
    },
    flush,
  };
}

class LineBuffer {
  readonly #stream: "stdout" | "stderr";
  readonly #print: PrintLine;
  readonly #decoder = new TextDecoder();
  #rest = "";

  constructor(stream: "stdout" | "stderr", print: PrintLine) {
    this.#stream = stream;
    this.#print = print;
  }

  write(bytes: Uint8Array): void {
    const parts = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#rest = parts.pop()!;
    for (const part of parts) this.#print(this.#stream, part);
  }

  flush(): void {
    if (this.#rest !== "") this.#print(this.#stream, this.#rest);
    this.#rest = "";
  }
}
