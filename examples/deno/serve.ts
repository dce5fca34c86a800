//! The guest of examples/echo-server in a Deno program, which has the permissions that the guest needs
//! and no others.
//!
//!   deno run --allow-read=dist/examples/echo-server.wasm --allow-net=127.0.0.1:7000 examples/deno/serve.ts
//!
//! Without --allow-net it says which flag is missing. With -A it uses io_uring.

import { Runtime } from "stackful";

const guest = new URL("../../dist/examples/echo-server.wasm", import.meta.url);

await using runtime = await Runtime.create(guest, {
  args: ["--host", "127.0.0.1", "--port", Deno.args[0] ?? "7000"],
  grants: { listen: ["127.0.0.1:*"] },
});
console.error(`serving on the ${runtime.stats.backend} backend; Ctrl-C ends it`);
const stop = () => runtime.cancel();
Deno.addSignalListener("SIGINT", stop);

Deno.exitCode = await runtime.run();
Deno.removeSignalListener("SIGINT", stop);
for (const { name, reason } of runtime.stats.reasons) console.error(`${name}: ${reason}`);
