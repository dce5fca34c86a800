import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { type Guest, must } from "../conformance/guest.ts";

/** Connects the guest to a socket that the host holds at the other end, outside any backend. */
export async function withOutsidePeer(
  guest: Guest,
  body: (handle: number, peer: Socket) => Promise<void>,
): Promise<void> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const connection = once(server, "connection");
  const handle = must(await guest.connect((server.address() as AddressInfo).port));
  const [peer] = (await connection) as [Socket];
  try {
    await body(handle, peer);
  } finally {
    const closed = once(server, "close");
    peer.destroy();
    server.close();
    await closed;
  }
}
