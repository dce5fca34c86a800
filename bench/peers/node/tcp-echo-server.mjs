// Echo server on node:net, for bench/scenarios/tcp-echo.ts.
//
// Prints {"port":N}, echoes until stdin ends and every connection is gone, then prints the
// processor time used since the port was printed. Every server of the scenario does the same.
import { createServer } from "node:net";

const server = createServer({ noDelay: true }, (socket) => {
  socket.on("data", (bytes) => socket.write(bytes));
  // A client that resets its connection is gone: nothing else to do.
  socket.on("error", () => socket.destroy());
});

server.listen(0, "127.0.0.1", () => {
  const before = process.cpuUsage();
  console.log(JSON.stringify({ port: server.address().port }));

  process.stdin.resume();
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
