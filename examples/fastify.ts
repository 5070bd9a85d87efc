/**
 * WebSockets beside Fastify.
 *
 *     npm install fastify
 *     deno run -A examples/fastify.ts [port]
 *     bun run examples/fastify.ts [port]
 *     node examples/fastify.ts [port]
 *
 * Open http://localhost:8888/ in several windows, and `curl -d hello http://localhost:8888/news`.
 */
import process from "node:process";
import Fastify from "fastify";
import { Application, WebSocketHandler } from "@waterspout/websocket";

class NewsHandler extends WebSocketHandler {
  override open(): void {
    this.subscribe("news");
  }

  onMessage(message: string | Uint8Array): void {
    this.publish("news", message);
  }
}

const page = `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Fastify</title>
<pre id="log"></pre>
<script>
var log = document.getElementById("log");
var socket = new WebSocket("ws://" + location.host + "/news");
socket.onmessage = function (event) { log.textContent += event.data + "\\n"; };
</script>
</html>
`;

const app = new Application([["/news", NewsHandler]]);
const site = Fastify();
site.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => done(null, body));
site.get("/", (_request, reply) => reply.type("text/html; charset=utf-8").send(page));
site.post("/news", (request) => app.publish("news", String(request.body)));

app.attach(site.server);
// Fastify closes its server. The WebSockets end first.
site.addHook("preClose", () => app.shutdown());

const url = await site.listen({ port: Number(process.argv[2] ?? 8888), host: "127.0.0.1" });
console.log(`${url}/`);
process.once("SIGINT", () => void site.close());
process.once("SIGTERM", () => void site.close());
