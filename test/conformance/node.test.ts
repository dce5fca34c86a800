import { openNodeBackend } from "../../ts/host/node/node-backend.ts";
import { CAN_REUSE_PORT } from "../../ts/host/node/open-socket.ts";
import { jsRuntime } from "../../ts/js-runtime.ts";
import { backendConformance } from "./backend-conformance.ts";
import { DENO_DATAGRAMS } from "./deno-datagrams.ts";
import { thisMachine } from "./setting.ts";
import { withoutSharedPorts } from "./shared-port-laws.ts";

const IN_DENO = {
  ...DENO_DATAGRAMS,
  "a child has no descriptor but its streams, no blocked signal and no ignored one":
    "Deno passes on what it has inherited itself",
  "LISTEN on an address the host does not have gives -EADDRNOTAVAIL": "Deno's node:net says EINVAL",
  "cancel ends CONNECTs that wait for room in a listener's backlog":
    "a connection that the backlog has no room for is reset, and Deno's node:net then says that it never connected",
};

const IN_BUN = {
  "what is sent to a group can be kept from every other machine":
    "Bun takes no MULTICAST_HOPS of 0",
};
const NO_STREAMS = "node:child_process gives away no stream that was read from";

const ALWAYS = {
  "SPAWN of a file that is no program gives -ENOEXEC":
    "node:child_process has a shell run what has no format",
  "what one child writes is what another reads, and ends when it does": NO_STREAMS,
  "a child talks to the peer of a connection that it is given": NO_STREAMS,
  "a child goes on in a file where the guest is": "node:fs cannot ask for the position of a file",
  "a Unix name stays when its listener is closed, and then refuses":
    "node:net removes the name of a server that it closes",
};

backendConformance("node", {
  setting: () => thisMachine(openNodeBackend),
  skip: {
    ...ALWAYS,
    ...(CAN_REUSE_PORT ? {} : withoutSharedPorts("this Node has no reusePort")),
    ...(jsRuntime() === "deno" && IN_DENO),
    ...(jsRuntime() === "bun" && IN_BUN),
  },
});
