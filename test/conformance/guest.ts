//! The guest calls that the laws are written in: one operation each, or a loop of them.

import { networkInterfaces } from "node:os";
import { ADDRESS, ERRNO, FAMILY, OP, SOCKET_TYPE } from "../../ts/abi.gen.ts";
import { RingDriver } from "./ring-driver.ts";

export interface Address {
  readonly bytes: readonly number[];
  readonly port: number;
  /** Number of an interface; absent: 0. */
  readonly scope?: number;
}

export interface Pair {
  readonly listener: number;
  readonly port: number;
  /** The connecting end and the accepting end of one connection. */
  readonly client: number;
  readonly server: number;
}

/** A datagram that was received. */
export interface Datagram {
  readonly data: Uint8Array;
  readonly source: Address;
}

export const LOOPBACK = [127, 0, 0, 1];
export const LOOPBACK_IPV6 = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/** Why laws of IPv6 cannot be shown here. */
export const NO_IPV6 = Object.values(networkInterfaces())
  .flat()
  .some((address) => address?.address === "::1")
  ? undefined
  : "this machine has no IPv6 loopback";

export class Guest extends RingDriver {
  #pathsMade = 0;

  putAddress({ bytes, port, scope = 0 }: Address): number {
    const at = this.alloc(ADDRESS.size);
    const family = bytes.length === 4 ? FAMILY.IPV4 : FAMILY.IPV6;
    this.view.setUint16(at + ADDRESS.family, family, true);
    this.view.setUint16(at + ADDRESS.port, port, true);
    this.view.setUint32(at + ADDRESS.scope, scope, true);
    new Uint8Array(this.memory.buffer).set(bytes, at + ADDRESS.bytes);
    return at;
  }

  getAddress(at: number): Address {
    const family = this.view.getUint16(at + ADDRESS.family, true);
    const length = family === FAMILY.IPV4 ? 4 : 16;
    return {
      bytes: [...this.bytes(at + ADDRESS.bytes, length)],
      port: this.view.getUint16(at + ADDRESS.port, true),
    };
  }

  listen(port = 0, bytes: readonly number[] = LOOPBACK, backlog = 512): Promise<number> {
    const pointer = this.putAddress({ bytes, port });
    return this.submit({ op: OP.LISTEN, pointer, argument: backlog });
  }

  connect(port: number, bytes: readonly number[] = LOOPBACK): Promise<number> {
    return this.submit({ op: OP.CONNECT, pointer: this.putAddress({ bytes, port }) });
  }

  accept(handle: number, pointer = 0): Promise<number> {
    return this.submit({ op: OP.ACCEPT, handle, pointer });
  }

  close(handle: number): Promise<number> {
    return this.submit({ op: OP.CLOSE, handle });
  }

  shutdown(handle: number, how: number): Promise<number> {
    return this.submit({ op: OP.SHUTDOWN, handle, argument: how });
  }

  async localAddress(handle: number): Promise<Address> {
    const pointer = this.alloc(ADDRESS.size);
    must(await this.submit({ op: OP.LOCAL_ADDRESS, handle, pointer }));
    return this.getAddress(pointer);
  }

  async peerAddress(handle: number): Promise<Address> {
    const pointer = this.alloc(ADDRESS.size);
    must(await this.submit({ op: OP.PEER_ADDRESS, handle, pointer }));
    return this.getAddress(pointer);
  }

  async pair(): Promise<Pair> {
    const listener = must(await this.listen());
    const { port } = await this.localAddress(listener);
    const [server, client] = await Promise.all([this.accept(listener), this.connect(port)]);
    return { listener, port, client: must(client), server: must(server) };
  }

  async read(handle: number, length: number): Promise<Uint8Array> {
    const pointer = this.alloc(length);
    const result = must(await this.submit({ op: OP.READ, handle, pointer, length }));
    return this.bytes(pointer, result);
  }

  write(handle: number, data: Uint8Array | string): Promise<number> {
    return this.submit({ op: OP.WRITE, handle, ...this.put(data) });
  }

  async writeAll(handle: number, data: Uint8Array | string): Promise<void> {
    const { pointer, length } = this.put(data);
    for (let done = 0; done < length; ) {
      const rest = { pointer: pointer + done, length: length - done };
      done += must(await this.submit({ op: OP.WRITE, handle, ...rest }));
    }
  }

  /** Reads until the end, through one buffer of `chunkBytes`. */
  async readToEnd(handle: number, chunkBytes = 65_536): Promise<Uint8Array> {
    const pointer = this.alloc(chunkBytes);
    const chunks: Uint8Array[] = [];
    for (;;) {
      const read = { op: OP.READ, handle, pointer, length: chunkBytes };
      const result = must(await this.submit(read));
      if (result === 0) return concat(chunks);
      chunks.push(this.bytes(pointer, result));
    }
  }

  async readExactly(handle: number, length: number): Promise<Uint8Array> {
    const pointer = this.alloc(length);
    for (let done = 0; done < length; ) {
      const rest = { pointer: pointer + done, length: length - done };
      const result = must(await this.submit({ op: OP.READ, handle, ...rest }));
      if (result === 0) throw new Error(`ended ${length - done} bytes early`);
      done += result;
    }
    return this.bytes(pointer, length);
  }

  /**
   * Sends a byte over `pair` and waits for it: by then, everything that could finish at once has.
   */
  async roundTrip({ client, server }: Pair): Promise<void> {
    must(await this.write(client, "."));
    await this.readExactly(server, 1);
  }

  udpBind(port = 0, bytes: readonly number[] = LOOPBACK): Promise<number> {
    return this.submit({ op: OP.UDP_BIND, pointer: this.putAddress({ bytes, port }) });
  }

  /** A UDP socket on the loopback interface, and its address. */
  async udp(bytes: readonly number[] = LOOPBACK): Promise<{ handle: number; address: Address }> {
    const handle = must(await this.udpBind(0, bytes));
    return { handle, address: await this.localAddress(handle) };
  }

  sendTo(handle: number, data: Uint8Array | string, to: Address): Promise<number> {
    const argument = this.putAddress(to);
    return this.submit({ op: OP.SEND_TO, handle, ...this.put(data), argument });
  }

  async receiveFrom(handle: number, length = 2048): Promise<Datagram> {
    const pointer = this.alloc(length);
    const argument = this.alloc(ADDRESS.size);
    const receive = { op: OP.RECEIVE_FROM, handle, pointer, length, argument };
    const result = must(await this.submit(receive));
    return { data: this.bytes(pointer, result), source: this.getAddress(argument) };
  }

  /** As UDP_BIND, and LISTEN with `op`, of a port that others share. */
  bindWith(
    mode: number,
    port: number,
    bytes = LOOPBACK,
    op: number = OP.UDP_BIND,
  ): Promise<number> {
    const argument = op === OP.LISTEN ? 64 : 0;
    return this.submit({ op, pointer: this.putAddress({ bytes, port }), argument, mode });
  }

  udpConnect(handle: number, to: Address | undefined): Promise<number> {
    const pointer = to === undefined ? 0 : this.putAddress(to);
    return this.submit({ op: OP.UDP_CONNECT, handle, pointer });
  }

  setOption(handle: number, argument: number, value: number | bigint): Promise<number> {
    return this.submit({ op: OP.SET_OPTION, handle, argument, offset: value });
  }

  /** Its value; throws for an error. */
  async getOption(handle: number, argument: number): Promise<number> {
    const otherPointer = this.alloc(8);
    must(await this.submit({ op: OP.GET_OPTION, handle, argument, otherPointer }));
    return Number(this.view.getBigInt64(otherPointer, true));
  }

  /** A path in /data that nothing had before. */
  freshPath(): { pointer: number; length: number } {
    return this.put(`/data/socket-${this.#pathsMade++}`);
  }

  unixListen(path: string, backlog = 512): Promise<number> {
    const at = { handle: -1, ...this.put(path) };
    return this.submit({ op: OP.UNIX_LISTEN, ...at, argument: backlog });
  }

  /** @param type - One of SOCKET_TYPE. */
  unixConnect(path: string, type: number = SOCKET_TYPE.STREAM): Promise<number> {
    return this.submit({ op: OP.UNIX_CONNECT, handle: -1, ...this.put(path), argument: type });
  }

  unixBind(path: string): Promise<number> {
    return this.submit({ op: OP.UNIX_BIND, handle: -1, ...this.put(path) });
  }

  unixSendTo(handle: number, data: Uint8Array | string, path: string): Promise<number> {
    const { pointer, length } = this.put(path);
    const to = { otherHandle: -1, otherPointer: pointer, otherLength: length };
    return this.submit({ op: OP.UNIX_SEND_TO, handle, ...this.put(data), ...to });
  }

  /** The two ends of a pipe: to read, to write. */
  async pipe(): Promise<[number, number]> {
    const pointer = this.alloc(8);
    must(await this.submit({ op: OP.PIPE, pointer }));
    return [this.view.getInt32(pointer, true), this.view.getInt32(pointer + 4, true)];
  }

  /** @param type - One of SOCKET_TYPE. */
  async socketPair(type: number): Promise<[number, number]> {
    const pointer = this.alloc(8);
    must(await this.submit({ op: OP.SOCKET_PAIR, pointer, argument: type }));
    return [this.view.getInt32(pointer, true), this.view.getInt32(pointer + 4, true)];
  }

  open(path: string | Uint8Array, flags: number, mode = 0o644): Promise<number> {
    return this.openAt(-1, path, flags, mode);
  }

  openAt(handle: number, path: string | Uint8Array, flags: number, mode = 0o644): Promise<number> {
    return this.submit({ op: OP.OPEN, handle, ...this.put(path), argument: flags, mode });
  }

  async pread(handle: number, length: number, offset: number | bigint): Promise<Uint8Array> {
    const pointer = this.alloc(length);
    const result = must(await this.submit({ op: OP.PREAD, handle, pointer, length, offset }));
    return this.bytes(pointer, result);
  }

  pwrite(handle: number, data: Uint8Array | string, offset: number | bigint): Promise<number> {
    return this.submit({ op: OP.PWRITE, handle, ...this.put(data), offset });
  }
}

/** A result that has to be a success. */
export function must(result: number): number {
  if (result < 0) throw new Error(`expected success, got -${errnoName(result)}`);
  return result;
}

/** "ENOENT" for -44; the number itself for a success, so that a failed comparison says which. */
export function errnoName(result: number): string {
  const entry = Object.entries(ERRNO).find(([, code]) => code === -result);
  return entry?.[0] ?? String(result);
}

export function text(data: Uint8Array): string {
  return new TextDecoder().decode(data);
}

export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

/** Bytes that repeat at no small distance, so that a lost, doubled or moved one shows. */
export function pattern(length: number, seed = 1): Uint8Array {
  const out = new Uint8Array(length);
  let state = seed >>> 0 || 1;
  for (let index = 0; index < length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    out[index] = state & 0xff;
  }
  return out;
}
