//! The scenes of the exchange on pipes and Unix sockets, and the operations that each needs.

import { ADDRESS, OP, OPEN, SHUTDOWN, SOCKET_TYPE } from "../../ts/abi.gen.ts";
import type { OperationName } from "../../ts/host/capability.ts";
import type { Recorder } from "./exchange.ts";

export interface LocalScene {
  readonly needs: readonly OperationName[];
  play(recorder: Recorder): Promise<void>;
}

/** Operations that neither a pipe nor a Unix stream has, with an argument that none has either. */
const NOT_THEIRS = { PREAD: OP.PREAD, ACCEPT: OP.ACCEPT, FSYNC: OP.FSYNC, SEEK: OP.SEEK };

export const LOCAL_SCENES: Readonly<Record<string, LocalScene>> = {
  pipes: {
    needs: ["PIPE"],
    async play(r) {
      const { guest } = r;
      const [output, input] = await guest.pipe();
      await r.write("WRITE into a pipe", input, "hello, world");
      await r.read("READ of a part of it", output, 5);
      await r.read("READ of what is left in it", output, 100);
      await r.write("WRITE where it is read", output, "x");
      await r.read("READ where it is written", input);
      await refusals(r, "a pipe", output);
      const file = await r.openFile("OPEN", "/data/piped", OPEN.READ | OPEN.WRITE | OPEN.CREATE);
      await r.write("WRITE of a file", file, "from a file");
      const send = {
        op: OP.SEND_FILE,
        handle: input,
        otherHandle: file,
        otherOffset: 5,
        length: 99,
      };
      await r.op("SEND_FILE into a pipe", send);
      await r.read("READ of what was sent", output, 100);
      const waits = { op: OP.READ, handle: output, ...guest.put("....") };
      const canceled = guest.start(waits);
      guest.turn();
      guest.cancel(canceled.token);
      await r.result("a READ of a pipe that is canceled", canceled.result, waits);
      await r.write("WRITE before the end", input, "last");
      await r.close("CLOSE of the end to write", input);
      await r.read("READ of the last", output);
      await r.read("READ at the end of a pipe", output);
      await r.close("CLOSE of the end to read", output);
      const [unread, lost] = await guest.pipe();
      await r.close("CLOSE of the only reader", unread);
      await r.write("WRITE that nobody reads", lost, "lost");
      await r.close("CLOSE of the writer", lost);
      await r.close("CLOSE of the file", file);
    },
  },

  "pairs of Unix sockets": {
    needs: ["SOCKET_PAIR"],
    async play(r) {
      const { guest } = r;
      const [one, other] = await guest.socketPair(SOCKET_TYPE.STREAM);
      await r.write("WRITE to the other", one, "there");
      await r.read("READ from the one", other);
      await refusals(r, "a Unix stream", one);
      await r.shutdown("SHUTDOWN of writing", one, SHUTDOWN.WRITE);
      await r.read("READ at the end of a Unix stream", other);
      await r.write("WRITE after that", one, "x");
      await r.write("WRITE the other way", other, "and back");
      await r.read("READ the other way", one);
      await r.close("CLOSE of the one", one);
      await r.write("WRITE to nobody", other, "x");
      await r.close("CLOSE of the other", other);
      const [from, to] = await guest.socketPair(SOCKET_TYPE.DATAGRAM);
      await r.write("WRITE of a datagram", from, "a datagram");
      await r.write("WRITE of an empty one", from, "");
      await r.read("READ that cuts one", to, 4);
      await r.read("READ of the empty one", to);
      await r.close("CLOSE of a datagram socket", from);
      await r.write("WRITE of a datagram to nobody", to, "x");
      await r.close("CLOSE of the last", to);
      const pair = { op: OP.SOCKET_PAIR, pointer: guest.alloc(8) };
      await r.op("SOCKET_PAIR of another kind", { ...pair, argument: 2 });
      await r.op("SOCKET_PAIR beyond the memory", { ...pair, pointer: 0xffff_fff0 });
    },
  },

  "Unix streams by name": {
    needs: ["UNIX_LISTEN", "UNIX_CONNECT"],
    async play(r) {
      const { guest } = r;
      const name = { handle: -1, ...guest.put("/data/name") };
      await r.op("UNIX_CONNECT where nothing is", { op: OP.UNIX_CONNECT, ...name });
      const listener = await r.op("UNIX_LISTEN", { op: OP.UNIX_LISTEN, ...name, argument: 4 });
      await r.op("UNIX_LISTEN where one is", { op: OP.UNIX_LISTEN, ...name, argument: 4 });
      const client = await r.op("UNIX_CONNECT", { op: OP.UNIX_CONNECT, ...name });
      const server = await r.op("ACCEPT of it", { op: OP.ACCEPT, handle: listener });
      await r.write("WRITE to the server", client, "a question");
      await r.read("READ by the server", server);
      await r.close("CLOSE of the server", server);
      await r.read("READ of its end", client);
      const elsewhere = { handle: -1, ...guest.put("/elsewhere") };
      await r.op("UNIX_LISTEN without a grant", { op: OP.UNIX_LISTEN, ...elsewhere });
      await r.op("UNIX_CONNECT without a grant", { op: OP.UNIX_CONNECT, ...elsewhere });
    },
  },
};

async function refusals(r: Recorder, what: string, handle: number): Promise<void> {
  const pointer = r.guest.alloc(ADDRESS.size);
  for (const [name, op] of Object.entries(NOT_THEIRS)) {
    await r.op(`${name} of ${what}`, { op, handle, pointer, length: 1, otherPointer: pointer });
  }
}
