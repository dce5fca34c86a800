//! A listener as a guest's handle.

import type { Endpoint } from "../grants.ts";
import { ListenerBase } from "../resources/listener.ts";
import { SocketOptions } from "../resources/socket-options.ts";
import type { SimContext } from "./sim-backend.ts";
import { OPTIONS, StreamHandle } from "./stream-handle.ts";
import type { TcpListener } from "./tcp.ts";

export class ListenerHandle extends ListenerBase<SimContext> {
  protected override readonly options = new SocketOptions("tcp", {
    options: OPTIONS,
    set: () => 0,
  });
  readonly #listener: TcpListener;

  constructor(context: SimContext, listener: TcpListener) {
    super(context);
    this.#listener = listener;
    listener.onConnection = () => this.pump();
  }

  protected override get local(): Endpoint {
    return this.#listener.local;
  }

  protected override nextConnection(): StreamHandle | undefined {
    const socket = this.#listener.accept();
    if (socket === undefined) return undefined;
    if (this.context.network.observer.watched) socket.connection.tell("accept");
    return new StreamHandle(this.context, socket);
  }

  protected override awaitConnection(): void {}

  protected override release(): number {
    this.#listener.close();
    return 0;
  }

  protected override keepAlive(): void {}
}
