//! Random reads with fs.promises: `depth` async functions share one file handle.

import { open } from "node:fs/promises";
import { BLOCK_BYTES, blockFile, blockOf } from "../file-data.ts";
import { type Params, param, type Sample } from "../scenario.ts";

export async function readWithPromises(params: Params): Promise<Sample> {
  const [depth, reads] = [param(params, "depth"), param(params, "reads")];
  const blocks = param(params, "blocks");
  const file = await open(blockFile(blocks));
  let next = 0;
  let sum = 0;
  const work = async (): Promise<void> => {
    const buffer = Buffer.alloc(BLOCK_BYTES);
    while (next < reads) {
      const position = blockOf(next++, blocks) * BLOCK_BYTES;
      await file.read(buffer, 0, BLOCK_BYTES, position);
      sum = (sum + buffer.readUInt32LE()) >>> 0;
    }
  };
  const cpu = process.cpuUsage();
  const started = performance.now();
  await Promise.all(Array.from({ length: depth }, work));
  const us = (performance.now() - started) * 1e3;
  const { user, system } = process.cpuUsage(cpu);
  await file.close();
  return {
    metrics: { "reads/s": (reads / us) * 1e6, "us-cpu/read": (user + system) / reads },
    checksum: String(sum),
  };
}
