//! What a guest is granted of names: the text of two files, and the endpoints that they imply. RESOLVER
//! reads the texts; no host API is known here.

import { ADDRESS, ERRNO, FAMILY, RESOLVER } from "../../abi.gen.ts";
import type { DnsGrant, EndpointGrant, Grants, NameServer } from "../backend.ts";
import type { Submission } from "../ring.ts";
import { addressText, parseAddress } from "./address-text.ts";
import { writeEndpoint } from "./endpoint.ts";
import type { Context } from "./resource.ts";

export interface Names {
  /** resolv.conf(5), in which every name server is an address that is granted. */
  readonly configuration: Uint8Array;
  /** hosts(5). */
  readonly hosts: Uint8Array;
  readonly servers: readonly Required<NameServer>[];
}

/** The files of a host, as text. */
export interface NameFiles {
  readonly configuration: string;
  readonly hosts: string;
}

/** Grants with all that `dns` implies spelled out. */
export interface AppliedGrants extends Grants {
  readonly connect: readonly EndpointGrant[];
  /** Where UDP sockets may be bound. */
  readonly bind: readonly EndpointGrant[];
}

const DNS_PORT = 53;

/** Of a name to look up, with a dot at its end. */
const NAME_BYTES_MAX = 254;

/** Of one LOOKUP. */
const ADDRESSES_MAX = 64;

/** As in resolv.conf(5). */
const SERVERS_MAX = 3;

/** Where a name server is asked for without being named. */
const LOCAL_SERVER = { bytes: Uint8Array.of(127, 0, 0, 1), port: DNS_PORT };

/** Any free port of either family. */
const EPHEMERAL: readonly EndpointGrant[] = [4, 16].map((length) => ({
  bytes: new Uint8Array(length),
  port: 0,
}));

/**
 * @throws {TypeError} a server's address has neither 4 bytes nor 16.
 * @throws {RangeError} a server's port is not one from 1 to 65535.
 */
export function namesOf(grant: DnsGrant, files: NameFiles): Names {
  const lines = (grant.configuration ?? files.configuration).split(/\r?\n/);
  const found = lines.flatMap((line) => parseServer(line) ?? []);
  const given = grant.servers?.map(checkedServer) ?? found;
  const servers = (given.length > 0 ? given : [LOCAL_SERVER]).slice(0, SERVERS_MAX);
  const text = [...lines.filter((line) => !isServerLine(line)), ...servers.map(serverLine), ""];
  return {
    configuration: new TextEncoder().encode(text.join("\n")),
    hosts: new TextEncoder().encode(grant.hosts ?? files.hosts),
    servers,
  };
}

export function applyNames(grants: Grants, names: Names | undefined): AppliedGrants {
  const { connect = [], listen = [] } = grants;
  if (names === undefined) return { ...grants, connect, bind: listen };
  return {
    ...grants,
    connect: [...connect, ...names.servers],
    bind: [...listen, ...EPHEMERAL],
  };
}

/** RESOLVER: the bytes of one of the texts, from an offset on. */
export function readNames({ ring, names }: Context, submission: Submission): number {
  const { argument, pointer, length, offset } = submission;
  if (names === undefined) return -ERRNO.ENOTCAPABLE;
  if (argument > RESOLVER.HOSTS || offset < 0) return -ERRNO.EINVAL;
  if (!ring.inRange(pointer, length)) return -ERRNO.EFAULT;
  const text = argument === RESOLVER.HOSTS ? names.hosts : names.configuration;
  const part = text.subarray(offset, offset + length);
  ring.copyIn(pointer, part);
  return part.length;
}

/** What a LOOKUP asks for. */
export interface LookupRequest {
  readonly name: string;
  /** 4, 6, or 0 for both. */
  readonly family: number;
  /** No more addresses are wanted. */
  readonly max: number;
}

/** LOOKUP as far as the record alone can tell: what it asks for, or a negated errno. */
export function readLookup(
  { ring, names, sandbox }: Context,
  submission: Submission,
): LookupRequest | number {
  const { argument: family, pointer, length, otherPointer, otherLength } = submission;
  if (names === undefined || sandbox?.allowsNames() === false) return -ERRNO.ENOTCAPABLE;
  if (family !== 0 && family !== FAMILY.IPV4 && family !== FAMILY.IPV6) return -ERRNO.EINVAL;
  if (!ring.inRange(otherPointer, otherLength * ADDRESS.size)) return -ERRNO.EFAULT;
  const bytes = ring.copyOut(pointer, length);
  if (bytes === undefined) return -ERRNO.EFAULT;
  const name = new TextDecoder("latin1").decode(bytes);
  if (length === 0 || length > NAME_BYTES_MAX || name.includes("\0")) return -ERRNO.EINVAL;
  return { name, family, max: Math.min(otherLength, ADDRESSES_MAX) };
}

/** Writes what a LOOKUP has found, and returns how many. */
export function writeLookup(
  { ring }: Context,
  { otherPointer }: Submission,
  { max }: LookupRequest,
  found: readonly Uint8Array[],
): number {
  const addresses = found.slice(0, max);
  addresses.forEach((bytes, index) => {
    writeEndpoint(ring, otherPointer + index * ADDRESS.size, { bytes, port: 0, scope: 0 });
  });
  return addresses.length;
}

function isServerLine(line: string): boolean {
  return /^\s*nameserver\s/.test(line);
}

/** Undefined: another line, or a server that nobody can reach by an address alone. */
function parseServer(line: string): Required<NameServer> | undefined {
  const match = /^\s*nameserver\s+(?:\[([^\]]+)\]:(\d{1,5})|(\S+))/.exec(line);
  const bytes = parseAddress(match?.[1] ?? match?.[3] ?? "");
  const port = Number(match?.[2] ?? DNS_PORT);
  return bytes === undefined || port < 1 || port > 65_535 ? undefined : { bytes, port };
}

function serverLine({ bytes, port }: Required<NameServer>): string {
  return `nameserver [${addressText(bytes)}]:${port}`;
}

function checkedServer({ bytes, port = DNS_PORT }: NameServer): Required<NameServer> {
  if (bytes.length !== 4 && bytes.length !== 16) {
    throw new TypeError(`dns grant: a server's address of ${bytes.length} bytes`);
  }
  if (!(Number.isInteger(port) && port >= 1 && port <= 65_535)) {
    throw new RangeError(`dns grant: a server's port ${port}`);
  }
  return { bytes, port };
}
