//! sf_stat, as guests read it.

import { FILE_KIND, STAT } from "../../abi.gen.ts";

/** Times are nanoseconds since 1970. */
export interface FileStat {
  readonly device: bigint;
  readonly inode: bigint;
  readonly bytes: bigint;
  readonly allocatedBytes: bigint;
  readonly accessedNs: bigint;
  readonly modifiedNs: bigint;
  readonly changedNs: bigint;
  /** 0: nobody knows. */
  readonly createdNs: bigint;
  readonly kind: keyof typeof FILE_KIND;
  /** Permission bits, 07777. */
  readonly mode: number;
  readonly links: number;
  readonly user: number;
  readonly group: number;
  readonly blockBytes: number;
}

export function statRecord(stat: FileStat): Uint8Array {
  const out = new DataView(new ArrayBuffer(STAT.size));
  for (const name of ["device", "inode", "bytes", "allocatedBytes"] as const) {
    out.setBigUint64(STAT[name], stat[name], true);
  }
  for (const name of ["accessedNs", "modifiedNs", "changedNs", "createdNs"] as const) {
    out.setBigInt64(STAT[name], stat[name], true);
  }
  out.setUint32(STAT.kind, FILE_KIND[stat.kind], true);
  for (const name of ["mode", "links", "user", "group", "blockBytes"] as const) {
    out.setUint32(STAT[name], stat[name], true);
  }
  return new Uint8Array(out.buffer);
}
