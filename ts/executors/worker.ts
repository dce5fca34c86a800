//! What an executor's thread runs.

import { threadPort } from "#platform/executors/start-thread";
import { serveExecutor } from "./executor.ts";

serveExecutor(threadPort());
