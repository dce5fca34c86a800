//! What an executor's thread runs.

import { serveExecutor } from "./executor.ts";
import { threadPort } from "./start-thread.ts";

serveExecutor(threadPort());
