// Server on node:net for the scenarios of bench/tcp.ts.
//
// The protocol is in bench/server-run.ts. Every server of the scenario does the same.
import { createServer } from "node:net";
import { pipeline, Readable } from "node:stream";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { service: { type: "string" } } });
const chunkBytes = 64 * 1024;

function echo(socket) {
  socket.on("data", (bytes) => socket.write(bytes));
  socket.on("end", () => socket.end());
}

// Counts what comes until the end, and answers with the count.
function sink(socket) {
  let total = 0;
  socket.on("data", (bytes) => {
    total += bytes.length;
  });
  socket.on("end", () => {
    const answer = Buffer.alloc(8);
    answer.writeBigUInt64LE(BigInt(total));
    socket.end(answer);
  });
}

// Is asked for a number of chunks, and sends them.
function source(socket) {
  socket.once("data", (request) => {
    const [id, chunks] = [request.readUInt32LE(0), request.readUInt32LE(4)];
    pipeline(Readable.from(chunksOf(id, chunks), { objectMode: true }), socket, () => {});
  });
}

const pattern = Buffer.from(Array.from({ length: 256 + chunkBytes }, (_, i) => (i * 7 + 3) & 255));

function* chunksOf(id, chunks) {
  for (let chunk = 0; chunk < chunks; chunk++) {
    const start = (id * 131 + chunk * 31) & 255;
    yield pattern.subarray(start, start + chunkBytes);
  }
}

// bench/tcp.ts has the same list.
const serve = [echo, sink, source][Number(values.service)];

const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
  // A client that resets its connection is gone: nothing else to do.
  socket.on("error", () => socket.destroy());
  serve(socket);
});

server.listen(0, "127.0.0.1", () => {
  let before = process.cpuUsage();
  console.log(JSON.stringify({ port: server.address().port }));

  process.stdin.on("data", () => {
    before = process.cpuUsage();
    console.log('{"warm":true}');
  });
  process.stdin.on("end", () => {
    server.close(() => {
      const { user, system } = process.cpuUsage(before);
      console.log(
        JSON.stringify({
          cpuMicroseconds: user + system,
          userMicroseconds: user,
          version: `node ${process.version}`,
        }),
      );
    });
  });
});
