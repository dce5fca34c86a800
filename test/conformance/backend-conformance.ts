//! The specification of `Backend`, as laws that every backend must keep. A backend's test file is
//! one call of `backendConformance`.

import { join } from "node:path/posix";
import { describe, expect, test } from "vitest";
import { OP } from "../../ts/abi.gen.ts";
import type { Backend, BackendName, Grants } from "../../ts/host/backend.ts";
import { OPERATIONS, type OperationName } from "../../ts/host/capability.ts";
import { cancelLaws } from "./cancel-laws.ts";
import { closeLaws } from "./close-laws.ts";
import { copyLaws } from "./copy-laws.ts";
import { directoryLaws } from "./directory-laws.ts";
import { discardLaws } from "./discard-laws.ts";
import { dnsLaws } from "./dns-laws.ts";
import { EMULATED } from "./emulated.ts";
import { endLaws } from "./end-laws.ts";
import { fileLaws } from "./file-laws.ts";
import { grantLaws } from "./grant-laws.ts";
import { Guest } from "./guest.ts";
import { hostileLaws } from "./hostile-laws.ts";
import { loopLaws } from "./loop-laws.ts";
import { memoryLaws } from "./memory-laws.ts";
import { movingLaws } from "./moving-laws.ts";
import { openFileLaws } from "./open-file-laws.ts";
import { openLaws } from "./open-laws.ts";
import { operationLaws } from "./operation-laws.ts";
import { optionLaws } from "./option-laws.ts";
import { passingLaws } from "./passing-laws.ts";
import { pathEscapeLaws } from "./path-escape-laws.ts";
import { pathLaws } from "./path-laws.ts";
import { pipeLaws } from "./pipe-laws.ts";
import { processGrantLaws } from "./process-grant-laws.ts";
import { SHELL } from "./process-guest.ts";
import { processLaws } from "./process-laws.ts";
import { processStreamLaws } from "./process-stream-laws.ts";
import { readinessLaws } from "./readiness-laws.ts";
import type { DriverOptions } from "./ring-driver.ts";
import type { Setting } from "./setting.ts";
import { sharedPortLaws } from "./shared-port-laws.ts";
import { stdioLaws } from "./stdio-laws.ts";
import { tcpLaws } from "./tcp-laws.ts";
import { transferLaws } from "./transfer-laws.ts";
import { udpBatchLaws } from "./udp-batch-laws.ts";
import { udpConnectLaws } from "./udp-connect-laws.ts";
import { udpGroupLaws } from "./udp-group-laws.ts";
import { udpHandleLaws } from "./udp-handle-laws.ts";
import { udpLaws } from "./udp-laws.ts";
import { unixLaws } from "./unix-laws.ts";

export interface ConformanceOptions {
  /** Makes what one law is tried in. */
  setting(): Promise<Setting>;
  /** What child.ts opens. Absent: the backend of this name. */
  readonly child?: string;
  /** Of the setting, for the title. */
  readonly how?: string;
  /** Laws this backend cannot keep, by title, each with the reason. */
  readonly skip?: Readonly<Record<string, string>>;
}

/** What scripts/conformance.ts and scripts/matrix.ts are told of a law that was tried. */
interface LawMeta {
  /** Those that its guest has submitted and the backend has. */
  operations?: OperationName[];
  /** The operation for which the backend has it skipped. */
  unsupported?: OperationName;
}

/** What a law is given. */
export interface Bench {
  readonly name: BackendName;
  /** What child.ts opens. */
  readonly child: string;
  readonly guest: Guest;
  readonly backend: Backend;
  /** Opens another backend, which the law has to dispose. */
  readonly open: Setting["open"];
  readonly setting: Setting;
  readonly files: Setting["files"];
  /** Directory, outside the backend, that the guest sees as /data. */
  readonly data: string;
  /** Directory next to it, which is not granted. */
  readonly outside: string;
}

export interface LawOptions extends DriverOptions {
  readonly handlesMax?: number;
  /** Why this machine cannot show it; undefined when it can. */
  readonly skip?: string | undefined;
  /** Operations without which it says nothing: it is skipped where the backend has not all of them. */
  readonly needs?: readonly OperationName[];
  /** Absent: every endpoint, /data, and /readonly for the same directory. */
  readonly grants?: (data: string) => Grants;
}

/** Adds a law to the suite. Its title says what holds. */
export type Law = (
  title: string,
  body: (bench: Bench) => Promise<void>,
  options?: LawOptions,
) => void;

/** A hang is the commonest way to break a law; this only has to be longer than any honest run. */
const LAW_TIMEOUT_MS = process.env[EMULATED] === undefined ? 60_000 : 900_000;

export function backendConformance(
  name: BackendName,
  { setting, child = name, how = "", skip = {} }: ConformanceOptions,
): void {
  const titles = new Set<string>();

  const law: Law = (title, body, options = {}) => {
    if (titles.has(title)) throw new Error(`two laws are called "${title}"`);
    titles.add(title);
    const reason = skip[title] ?? options.skip;
    if (reason !== undefined) {
      test.skip(`${title} [skipped: ${reason}]`);
      return;
    }
    test(title, { timeout: LAW_TIMEOUT_MS }, async ({ task, skip }) => {
      const meta = task.meta as LawMeta;
      const missing = await runLaw({ name, child }, setting, body, options, meta);
      if (missing === undefined) return;
      meta.unsupported = missing;
      skip(`unsupported on ${child}: ${missing}`);
    });
  };

  describe(`${child} backend${how}`, () => {
    tcpLaws(law);
    udpLaws(law);
    udpHandleLaws(law);
    udpConnectLaws(law);
    udpBatchLaws(law);
    udpGroupLaws(law);
    sharedPortLaws(law);
    optionLaws(law);
    pipeLaws(law);
    processLaws(law);
    processStreamLaws(law);
    processGrantLaws(law);
    passingLaws(law);
    movingLaws(law);
    readinessLaws(law);
    stdioLaws(law);
    unixLaws(law);
    endLaws(law);
    transferLaws(law);
    fileLaws(law);
    openLaws(law);
    openFileLaws(law);
    directoryLaws(law);
    copyLaws(law);
    grantLaws(law);
    pathLaws(law);
    pathEscapeLaws(law);
    cancelLaws(law);
    closeLaws(law);
    memoryLaws(law);
    dnsLaws(law);
    operationLaws(law);
    discardLaws(law);
    hostileLaws(law);
    loopLaws(law);

    test("every skip names a law", () => {
      expect(Object.keys(skip).filter((title) => !titles.has(title))).toEqual([]);
    });
  });
}

/** Returns the operation that the backend lacks, if there is one: then it was not run. */
async function runLaw(
  names: Pick<Bench, "name" | "child">,
  makeSetting: ConformanceOptions["setting"],
  body: (bench: Bench) => Promise<void>,
  options: LawOptions,
  meta: LawMeta,
): Promise<OperationName | undefined> {
  await using setting = await makeSetting();
  const { files, open, scratch } = setting;
  const data = join(scratch, "data");
  const outside = join(scratch, "outside");
  for (const path of [data, outside]) await files.makeDirectory(path);
  const grants = options.grants?.(data) ?? everything(data);
  const backend = await open({ grants, handlesMax: options.handlesMax ?? 1024 });
  const operations = OPERATIONS.filter((name) => backend.capability(OP[name]) !== "unsupported");
  const missing = options.needs?.find((op) => backend.capability(OP[op]) === "unsupported");
  const guest = new Guest(backend, options);
  try {
    if (missing !== undefined) return missing;
    await body({ ...names, guest, backend, open, setting, files, data, outside });
  } finally {
    meta.operations = operations.filter((name) => guest.submitted.has(OP[name]));
    await backend[Symbol.asyncDispose]();
  }
  expect({ handlesOpen: backend.handlesOpen, pending: backend.pending }).toEqual({
    handlesOpen: 0,
    pending: 0,
  });
  return undefined;
}

function everything(data: string): Grants {
  return {
    connect: [{}],
    listen: [{}],
    stdio: [2],
    dns: { configuration: "search example\n", hosts: "127.0.0.1 localhost\n" },
    directories: [
      { host: data, guest: "/data" },
      { host: data, guest: "/readonly", readOnly: true },
    ],
    processes: { programs: [SHELL] },
  };
}
