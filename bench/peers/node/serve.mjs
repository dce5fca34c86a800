// What the servers of this folder share: the protocol of bench/server-run.ts.

function print(value) {
  console.log(JSON.stringify(value));
}

/**
 * Listens on loopback and prints the port; counts processor time from then on, or from the last line on stdin;
 * prints it when stdin has ended and every connection is gone.
 */
export function serve(server) {
  server.listen(0, "127.0.0.1", () => {
    let before = process.cpuUsage();
    print({ port: server.address().port });

    process.stdin.on("data", () => {
      before = process.cpuUsage();
      print({ warm: true });
    });
    process.stdin.on("end", () => {
      server.close(() => {
        const { user, system } = process.cpuUsage(before);
        print({
          cpuMicroseconds: user + system,
          userMicroseconds: user,
          version: `node ${process.version}`,
        });
      });
    });
  });
}
