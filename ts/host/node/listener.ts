//! A listening socket on node:net. Node accepts whenever a peer connects and cannot be told to
//! wait, so the queue that the kernel would keep is kept here, with the same bound: the backlog. A
//! peer beyond it is reset, where the kernel would let it try again.

import type { AddressInfo, Server } from "node:net";
import { ERRNO, OPTION } from "../../abi.gen.ts";
import type { Endpoint } from "../grants.ts";
import { errnoOf } from "../resources/errno.ts";
import { ListenerBase } from "../resources/listener.ts";
import type { Context } from "../resources/resource.ts";
import { SocketOptions } from "../resources/socket-options.ts";
import { endpointOf } from "./address.ts";
import { Connection, OPTIONS } from "./connection.ts";

export class Listener extends ListenerBase {
  protected override readonly options = new SocketOptions("tcp", {
    options: OPTIONS,
    set: (option, value) => (option === OPTION.LINGER && value > 0 ? -ERRNO.ENOPROTOOPT : 0),
  });
  readonly #server: Server;

  /**
   * @param server - Listening, with `pauseOnConnect`.
   * @param Accepted - What its connections become.
   */
  constructor(context: Context, server: Server, backlog: number, Accepted = Connection) {
    super(context);
    this.#server = server;
    server.unref();
    server.on("connection", (socket) => {
      if (this.queue.length >= backlog) {
        // A Unix connection cannot be reset.
        if (socket.remoteFamily === undefined) socket.destroy();
        else socket.resetAndDestroy();
        return;
      }
      this.queue.push(new Accepted(context, socket));
      this.pump();
    });
    server.on("error", (error) => this.fail(errnoOf(error)));
  }

  protected override get local(): Endpoint | undefined {
    const address = this.#server.address() as AddressInfo | string;
    return typeof address === "string" ? undefined : endpointOf(address.address, address.port);
  }

  protected override awaitConnection(): void {}

  protected override release(): number {
    this.#server.close();
    return 0;
  }

  protected override keepAlive(waiting: boolean): void {
    if (waiting) this.#server.ref();
    else this.#server.unref();
  }
}
