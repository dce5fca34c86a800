//! STDIO: the process's own streams.

import * as fs from "node:fs";
import type { Socket } from "node:net";
import { isatty } from "node:tty";
import type { Context, Resource } from "../resources/resource.ts";
import { StandardFile } from "./standard-file.ts";
import { StandardStream } from "./standard-stream.ts";
import { NodeTerminal } from "./terminal.ts";

/** @throws {Error} of the host: the process was started without that one. */
export function openStandard(context: Context, number: number): Resource {
  const direction = number === 0 ? "input" : "output";
  const stats = fs.fstatSync(number);
  if (isatty(number)) {
    return new StandardStream(context, streamOf(number), direction, new NodeTerminal(number));
  }
  if (stats.isFIFO() || stats.isSocket()) {
    return new StandardStream(context, streamOf(number), direction, undefined);
  }
  return new StandardFile(context, number, direction);
}

/** Of pipes, sockets and terminals all three are sockets to Node. */
function streamOf(number: number): Socket {
  const { stdin, stdout, stderr } = process;
  return [stdin, stdout, stderr][number] as unknown as Socket;
}
