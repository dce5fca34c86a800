//! A name server on the loopback interface, for datagrams and connections, that answers as the test says.

import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";

export const QTYPE = { A: 1, CNAME: 5, PTR: 12, AAAA: 28 } as const;

export interface Query {
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly type: number;
  readonly transport: "datagram" | "connection";
  readonly source: number;
}

export interface ResponderRecord {
  readonly type: number;
  readonly data: readonly number[];
  readonly owner?: string;
}

/** What one query gets: several messages, or none. */
export type Respond = (query: Query) => readonly Uint8Array[] | Promise<readonly Uint8Array[]>;

export class Responder implements AsyncDisposable {
  readonly queries: Query[] = [];
  readonly #socket: Socket;
  readonly #server: Server;
  readonly #respond: Respond;

  private constructor(socket: Socket, server: Server, respond: Respond) {
    this.#socket = socket;
    this.#server = server;
    this.#respond = respond;
    socket.on("message", (bytes, source) => void this.#onDatagram(bytes, source));
    server.on("connection", (connection) => {
      let received = Buffer.alloc(0);
      connection.on("error", () => {});
      connection.on("data", async (data) => {
        received = Buffer.concat([received, data]);
        if (received.length < 2 || received.length < 2 + received.readUInt16BE()) return;
        const query = this.#note(received.subarray(2), "connection", connection.remotePort ?? 0);
        for (const message of await this.#respond(query)) {
          const length = Buffer.alloc(2);
          length.writeUInt16BE(message.length);
          connection.write(Buffer.concat([length, message]));
        }
        connection.end();
      });
    });
  }

  static async start(respond: Respond): Promise<Responder> {
    for (;;) {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      const socket = createSocket("udp4");
      const { port } = server.address() as AddressInfo;
      const bound = await new Promise<boolean>((resolve) => {
        socket.once("error", () => resolve(false));
        socket.bind(port, "127.0.0.1", () => resolve(true));
      });
      if (bound) return new Responder(socket, server, respond);
      server.close(); // The port of datagrams was another's.
    }
  }

  get port(): number {
    return this.#socket.address().port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #onDatagram(bytes: Uint8Array, { address, port }: RemoteInfo): Promise<void> {
    const query = this.#note(bytes, "datagram", port);
    for (const message of await this.#respond(query)) this.#socket.send(message, port, address);
  }

  #note(bytes: Uint8Array, transport: Query["transport"], source: number): Query {
    const labels: string[] = [];
    let at = 12;
    for (let length = bytes[at++]!; length > 0; length = bytes[at++]!) {
      labels.push(Buffer.from(bytes.subarray(at, at + length)).toString());
      at += length;
    }
    const type = bytes[at]! * 256 + bytes[at + 1]!;
    const query = { bytes, name: labels.join("."), type, transport, source };
    this.queries.push(query);
    return query;
  }
}

export function wireName(name: string): number[] {
  return [...name.split(".").flatMap((label) => [label.length, ...Buffer.from(label)]), 0];
}

/** An answer to `query`. */
export function answerTo(
  { bytes, name, type }: Query,
  records: readonly ResponderRecord[],
  { rcode = 0, truncated = false, id = bytes[0]! * 256 + bytes[1]! } = {},
): Uint8Array {
  const u16 = (value: number): number[] => [value >> 8, value & 255];
  return Uint8Array.from([
    ...[
      ...u16(id),
      truncated ? 0x83 : 0x81,
      0x80 | rcode,
      0,
      1,
      ...u16(records.length),
      0,
      0,
      0,
      0,
    ],
    ...[...wireName(name), ...u16(type), 0, 1],
    ...records.flatMap(({ owner, type: of, data }) => [
      ...(owner === undefined ? [0xc0, 12] : wireName(owner)),
      ...[...u16(of), 0, 1, 0, 0, 0, 60, ...u16(data.length), ...data],
    ]),
  ]);
}
