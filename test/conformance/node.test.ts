import { openNodeBackend } from "../../ts/host/node/node-backend.ts";
import { backendConformance } from "./backend-conformance.ts";

backendConformance("node", { open: openNodeBackend });
