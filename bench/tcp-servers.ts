/** The peers' servers for the scenarios of tcp.ts. */
import { peerProgram } from "./peers.ts";
import type { PeerProgram, ServerCommand } from "./scenario.ts";
import { serviceOf } from "./tcp.ts";

export function peerServer(name: PeerProgram): ServerCommand {
  return async ({ params }) => {
    const program = await peerProgram(name);
    if ("missing" in program) throw new Error(program.missing);
    return { argv: [program.path, "tcp-server", `--service=${serviceOf(params)}`] };
  };
}

export const nodeServer: ServerCommand = ({ nodePath, root, params }) => ({
  argv: [nodePath, `${root}bench/peers/node/tcp-server.mjs`, `--service=${serviceOf(params)}`],
});
