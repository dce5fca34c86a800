// Load generator on node:net: takes over from `tcp-echo-load` of peers/go where Go is missing. Same
// flags, same messages, same output; heavier, so compare only figures of the same generator.
import { connect } from "node:net";
import { parseArgs } from "node:util";
import { crc32 } from "node:zlib";

const string = { type: "string" };
const { values } = parseArgs({
  options: { port: string, connections: string, "in-flight": string, bytes: string, messages: string },
});

function flag(name) {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < 1) throw new Error(`tcp-echo-load: --${name} is not valid`);
  return value;
}

const [port, connections, inFlight] = [flag("port"), flag("connections"), flag("in-flight")];
const [messageBytes, messages] = [flag("bytes"), flag("messages")];

// Message m of connection c is the slice of the pattern starting at (c*131 + m*31) mod 256.
const pattern = Buffer.from(Array.from({ length: 256 + messageBytes }, (_, i) => (i * 7 + 3) & 255));

function message(connection, index) {
  const start = (connection * 131 + index * 31) & 255;
  return pattern.subarray(start, start + messageBytes);
}

function open() {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
    socket.once("error", reject);
  });
}

// Keeps inFlight messages on their way. Resolves with the checksum of what came back.
function run(socket, connection, latencies) {
  const sentAt = new Array(inFlight);
  let sent = 0;
  let received = 0;
  let crc = 0;
  let rest = Buffer.alloc(0);

  function send() {
    const out = [];
    const now = performance.now();
    while (sent < messages && sent - received < inFlight) {
      sentAt[sent % inFlight] = now;
      out.push(message(connection, sent++));
    }
    if (out.length > 0) socket.write(out.length === 1 ? out[0] : Buffer.concat(out));
  }

  function take(bytes) {
    const now = performance.now();
    const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    let used = 0;
    for (; all.length - used >= messageBytes; used += messageBytes) {
      const got = all.subarray(used, used + messageBytes);
      if (received === messages || !got.equals(message(connection, received))) {
        throw new Error(`connection ${connection}: message ${received} came back changed`);
      }
      latencies.push(now - sentAt[received % inFlight]);
      received++;
    }
    crc = crc32(all.subarray(0, used), crc);
    rest = all.subarray(used);
  }

  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`connection ${connection} closed after ${received}`)));
    socket.on("data", (bytes) => {
      try {
        take(bytes);
        if (received === messages) resolve(crc);
        else send();
      } catch (error) {
        reject(error);
      }
    });
    send();
  });
}

const sockets = [];
for (let i = 0; i < connections; i++) sockets.push(await open());

const latencies = [];
const cpuBefore = process.cpuUsage();
const start = performance.now();
const crcs = await Promise.all(sockets.map((socket, i) => run(socket, i, latencies)));
const seconds = (performance.now() - start) / 1000;
const cpu = process.cpuUsage(cpuBefore);
for (const socket of sockets) socket.end();

latencies.sort((a, b) => a - b);
const microseconds = (share) => latencies[Math.floor((latencies.length - 1) * share)] * 1000;
const sum = crcs.reduce((total, crc) => (total + crc) >>> 0, 0);
console.log(
  JSON.stringify({
    metrics: {
      "messages/s": latencies.length / seconds,
      "us-p50": microseconds(0.5),
      "us-p99": microseconds(0.99),
    },
    checksum: `${latencies.length * messageBytes}:${sum.toString(16).padStart(8, "0")}`,
    // Near 1, the generator is the limit, and messages/s says little about the server.
    notes: { loadCpuShare: (cpu.user + cpu.system) / 1e6 / seconds },
    version: `node ${process.version}`,
  }),
);
