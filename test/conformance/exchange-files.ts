//! Scenes of the exchange with open files and directories, of what every backend has.

import { DIRECTORY_ENTRY, OP, OPEN, SEEK, SYNC } from "../../ts/abi.gen.ts";
import type { Recorder } from "./exchange.ts";
import { PATH_SCENES } from "./exchange-paths.ts";
import { errnoName } from "./guest.ts";

const READ_WRITE_NEW = OPEN.READ | OPEN.WRITE | OPEN.CREATE;
const DIRECTORY = OPEN.READ | OPEN.DIRECTORY;

export const FILE_SCENES: Readonly<Record<string, (recorder: Recorder) => Promise<void>>> = {
  ...PATH_SCENES,

  async "appending to a file"(r) {
    const path = "/data/log";
    const flags = OPEN.READ | OPEN.WRITE | OPEN.CREATE | OPEN.APPEND;
    const first = await r.openFile("OPEN with APPEND", path, flags);
    const second = await r.openFile("OPEN again", path, OPEN.WRITE | OPEN.APPEND);
    await r.write("WRITE of the first", first, "one,");
    await r.write("WRITE of the second", second, "two,");
    await r.write("WRITE of the first again", first, "three");
    await r.pwrite("PWRITE, which appends too", first, "!", 0);
    await r.pread("PREAD of all", first, 0, 32);
    await r.read("READ after a WRITE", first);
    const plain = await r.openFile("OPEN without APPEND", path, OPEN.WRITE);
    await r.write("WRITE of it", plain, "ONE");
    await r.pread("PREAD of all", first, 0, 32);
  },

  async "directories as places"(r) {
    const { guest, setting } = r;
    await setting.files.makeDirectory(`${setting.scratch}/data/place`);
    const place = await r.openFile("OPEN of a directory", "/data/place", DIRECTORY);
    const open = (title: string, path: string, argument: number, handle = place): Promise<number> =>
      r.op(title, { op: OP.OPEN, handle, ...guest.put(path), argument, mode: 0o600 });
    await open("OPEN of what is not there", "inner", OPEN.READ);
    const inner = await open("OPEN that makes it", "inner", READ_WRITE_NEW);
    await open("OPEN of it as a directory", "inner", DIRECTORY);
    await open("OPEN of the directory itself", "", DIRECTORY);
    await open("OPEN of the directory itself for writing", "", OPEN.WRITE);
    await open("OPEN above it", "../file", OPEN.READ);
    await open("OPEN of an absolute path", "/data/place/inner", OPEN.READ);
    await open("OPEN relative to a file", "inner", OPEN.READ, inner);
    await open("OPEN relative to nothing", "inner", OPEN.READ, 12_345);
    await open("OPEN of a directory for writing", ".", DIRECTORY | OPEN.WRITE);
    await open("OPEN of a file without a name", ".", OPEN.WRITE | OPEN.TEMPORARY);
    await open("OPEN of one in a file", "inner", OPEN.WRITE | OPEN.TEMPORARY);
    const readOnly = await r.openFile("OPEN below a read-only grant", "/readonly/place", DIRECTORY);
    await open("OPEN for writing relative to it", "inner", OPEN.WRITE, readOnly);
    await r.read("READ of a directory", place);
    await r.write("WRITE of a directory", place, "x");
    await r.op("FSYNC of a directory", { op: OP.FSYNC, handle: place });
    await r.op("FSYNC of data", { op: OP.FSYNC, handle: inner, argument: SYNC.DATA });
    await r.op("FSYNC of what is not known", { op: OP.FSYNC, handle: inner, argument: 2 });
    const buffer = guest.put(new Uint8Array(64));
    const list = { op: OP.READ_DIRECTORY, handle: place, ...buffer };
    const filled = await r.op("READ_DIRECTORY", list);
    const at = buffer.pointer + DIRECTORY_ENTRY.size;
    const name = guest.bytes(at, guest.view.getUint8(buffer.pointer + DIRECTORY_ENTRY.nameBytes));
    r.note("its entry", `${new TextDecoder().decode(name)} in ${filled}`);
    await r.op("READ_DIRECTORY at the end", list);
    await r.op("READ_DIRECTORY into too little", { ...list, length: 16, argument: 1 });
    await r.op("READ_DIRECTORY of a file", { ...list, handle: inner });
  },

  async "positions and copies"(r) {
    const { guest } = r;
    const file = await r.openFile("OPEN", "/data/seek", READ_WRITE_NEW);
    const out = guest.alloc(8);
    const seek = async (
      title: string,
      argument: number,
      offset: number | bigint,
    ): Promise<void> => {
      const result = await guest.submit({
        op: OP.SEEK,
        handle: file,
        argument,
        offset,
        otherPointer: out,
      });
      const position = guest.view.getBigInt64(out, true);
      r.note(title, result < 0 ? errnoName(result) : `${position}`);
    };
    await r.write("WRITE", file, "0123456789");
    await seek("SEEK to where it is", SEEK.CURRENT, 0);
    await seek("SEEK to the start", SEEK.START, 2);
    await r.read("READ there", file, 3);
    await seek("SEEK from there", SEEK.CURRENT, -1);
    await seek("SEEK behind the end", SEEK.END, 5);
    await r.read("READ there", file, 3);
    await seek("SEEK before the start", SEEK.START, -1);
    await seek("SEEK from elsewhere", 3, 0);
    await r.write("WRITE behind the end", file, "x");
    const vector = {
      handle: file,
      pointer: guest.iovecs([guest.put("ab"), guest.put("c")]),
      length: 2,
    };
    await r.op("PWRITEV", { op: OP.PWRITEV, ...vector, offset: 1 });
    await r.op("PREADV at the end", { op: OP.PREADV, ...vector, offset: 100 });
    await r.op("PREADV before the start", { op: OP.PREADV, ...vector, offset: -1n });
    await r.pread("PREAD of all", file, 0, 32);

    const to = await r.openFile("OPEN of a copy", "/data/copied", READ_WRITE_NEW);
    const copy = {
      op: OP.COPY,
      handle: file,
      offset: 1,
      otherHandle: to,
      otherOffset: 2,
      length: 5,
    };
    await r.op("COPY", copy);
    await r.op("COPY at the end", { ...copy, offset: 16 });
    await r.op("COPY of nothing", { ...copy, length: 0 });
    await r.op("COPY onto itself", { ...copy, otherHandle: file });
    await r.op("COPY to nothing", { ...copy, otherHandle: 12_345 });
    await r.pread("PREAD of the copy", to, 0, 32);

    const { client, server } = await r.pair();
    const send = {
      op: OP.SEND_FILE,
      handle: client,
      otherHandle: file,
      otherOffset: 5,
      length: 3,
    };
    await r.op("SEND_FILE", send);
    await r.read("READ of it", server);
    await r.op("SEND_FILE at the end", { ...send, otherOffset: 100 });
    await r.op("SEND_FILE of a connection", { ...send, otherHandle: server });
    await r.op("SEND_FILE to a file", { ...send, handle: file });
  },
};
