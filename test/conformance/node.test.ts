import { openNodeBackend } from "../../ts/host/node/node-backend.ts";
import { jsRuntime } from "../../ts/js-runtime.ts";
import { backendConformance } from "./backend-conformance.ts";
import { thisMachine } from "./setting.ts";

backendConformance("node", {
  setting: () => thisMachine(openNodeBackend),
  skip:
    jsRuntime() === "deno"
      ? {
          "LISTEN on an address the host does not have gives -EADDRNOTAVAIL":
            "Deno's node:net says EINVAL",
          "SEND_TO everybody gives -EACCES": "Deno does not say why a datagram was not sent",
        }
      : {},
});
