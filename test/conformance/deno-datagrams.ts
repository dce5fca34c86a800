//! Laws of datagrams that Deno's sockets cannot keep, each with the reason: on the deno backend, and on the node
//! backend in Deno, whose node:dgram is made of the same.

const NO_REASON = "Deno does not say why a datagram was not sent";
const NOT_CONNECTED = "Deno connects no UDP socket in the system";

export const DENO_DATAGRAMS: Readonly<Record<string, string>> = {
  "SEND_TO everybody gives -EACCES": NO_REASON,
  "SEND_TO everybody is allowed once BROADCAST is set": NO_REASON,
  "a connected UDP socket is told -ECONNREFUSED, once, when nobody listens": NOT_CONNECTED,
  "RECEIVE_FROM on a connected UDP socket is told -ECONNREFUSED too": NOT_CONNECTED,
  "what is sent to a group can be kept from every other machine":
    "Deno takes no MULTICAST_HOPS of 0",
  "a group of IPv6 works like one of IPv4": "Deno sends to no interface that is named",
};
