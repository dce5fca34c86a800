//! The program behind discard.test.ts: prints how many KiB of resident memory a discard of 64 MiB
//! freed. Its parameter: the kind of memory.

import { readFileSync } from "node:fs";
import { SHARED } from "../../ts/abi.gen.ts";
import { NativeBackend } from "../../ts/host/native/native-backend.ts";

const PAGES = 1024 + 1;
const BYTES = 64 * 1024 * 1024;

const shared = process.argv[2] === "shared";
const memory = new WebAssembly.Memory({ initial: 1, maximum: PAGES, shared });
const view = new DataView(memory.buffer);
view.setUint32(SHARED.submissions, 1024, true);
view.setUint32(SHARED.submissionsCapacity, 1, true);
view.setUint32(SHARED.completions, 2048, true);
view.setUint32(SHARED.completionsCapacity, 1, true);
memory.grow(PAGES - 1);

const backend = NativeBackend.open("uring", { grants: {}, handlesMax: 1 });
backend.bind(memory, 0);
const bytes = new Uint8Array(memory.buffer, 65_536);
bytes.fill(0xee);

const before = residentKib();
const discarded = backend.discard(new Uint32Array([65_536, BYTES]));
const freed = before - residentKib();
if (discarded !== BYTES) throw new Error(`discarded ${discarded} bytes`);
if (bytes.some((byte) => byte !== 0)) throw new Error("discarded memory is not zero");
await backend[Symbol.asyncDispose]();
process.stdout.write(`${freed}\n`);

function residentKib(): number {
  const status = readFileSync("/proc/self/status", "utf8");
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
}
