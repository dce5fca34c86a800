import { OPEN } from "../../ts/abi.gen.ts";
import { type Guest, must } from "./guest.ts";

/** Handles that are no UDP socket's, each with what operations on datagrams result in there. */
export async function notUdp(guest: Guest): Promise<readonly (readonly [number, string])[]> {
  const { listener, client, server } = await guest.pair();
  return [
    [listener, "ENOTSUP"],
    [client, "ENOTSUP"],
    [server, "ENOTSUP"],
    [must(await guest.open("/data", OPEN.READ)), "ENOTSOCK"],
    [0x7fff_ffff, "EBADF"],
  ];
}
