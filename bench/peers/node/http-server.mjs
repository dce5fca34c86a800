// Server on node:http for the scenario http.
import { createServer } from "node:http";
import { serve } from "./serve.mjs";

const greeting = "Hello, world!\n";
const fields = { "Content-Type": "text/plain", "Content-Length": greeting.length };

serve(
  createServer((request, response) => {
    const known = request.url === "/hello";
    response.writeHead(known ? 200 : 404, known ? fields : {});
    response.end(known ? greeting : "");
  }),
);
