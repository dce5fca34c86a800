import { openNodeBackend } from "../../ts/host/node/node-backend.ts";
import { jsRuntime } from "../../ts/js-runtime.ts";
import { backendConformance } from "./backend-conformance.ts";
import { DENO_DATAGRAMS } from "./deno-datagrams.ts";
import { thisMachine } from "./setting.ts";

const IN_DENO = {
  ...DENO_DATAGRAMS,
  "LISTEN on an address the host does not have gives -EADDRNOTAVAIL": "Deno's node:net says EINVAL",
  "cancel ends CONNECTs that wait for room in a listener's backlog":
    "a connection that the backlog has no room for is reset, and Deno's node:net then says that it never connected",
};

const IN_BUN = {
  "what is sent to a group can be kept from every other machine":
    "Bun takes no MULTICAST_HOPS of 0",
};

const ALWAYS = {
  "a Unix name stays when its listener is closed, and then refuses":
    "node:net removes the name of a server that it closes",
};

backendConformance("node", {
  setting: () => thisMachine(openNodeBackend),
  skip: { ...ALWAYS, ...(jsRuntime() === "deno" && IN_DENO), ...(jsRuntime() === "bun" && IN_BUN) },
});
