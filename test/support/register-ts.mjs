//! Lets a child process run TypeScript on every supported Node: the oldest of them cannot strip types
//! itself. For `node --import`.

import * as nodeModule from "node:module";

// The newer of the two, which takes functions; Node 26 warns of the older, Node 20 has no other.
if (nodeModule.registerHooks === undefined) nodeModule.register("./load-ts.mjs", import.meta.url);
else nodeModule.registerHooks(await import("./load-ts.mjs"));
