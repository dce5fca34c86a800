//! Lets a child process run TypeScript on every supported Node: the oldest of them cannot strip types
//! itself. For `node --import`.

import { register } from "node:module";

register("./load-ts.mjs", import.meta.url);
