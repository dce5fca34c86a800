import { openNodeBackend } from "../../ts/host/node/node-backend.ts";
import { backendConformance } from "./backend-conformance.ts";
import { thisMachine } from "./setting.ts";

backendConformance("node", { setting: () => thisMachine(openNodeBackend) });
