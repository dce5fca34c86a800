// Server on node:http for the scenario http; the protocol is in bench/server-run.ts.
import { createServer } from "node:http";

const greeting = "Hello, world!\n";
const fields = { "Content-Type": "text/plain", "Content-Length": greeting.length };

const server = createServer((request, response) => {
  const known = request.url === "/hello";
  response.writeHead(known ? 200 : 404, known ? fields : {});
  response.end(known ? greeting : "");
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
