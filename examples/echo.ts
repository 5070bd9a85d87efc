/**
 * Tornado's echo example: a handler at `/websocket` and a page at `/` that works in old browsers.
 * The handler answers text with `You said: ` and the text, and sends binary messages back
 * unchanged.
 *
 *     deno run --allow-net examples/echo.ts [port]
 *     bun run examples/echo.ts [port]
 *     node examples/echo.ts [port]
 */
import process from "node:process";
import { Application, WebSocketHandler } from "@waterspout/websocket";

class EchoHandler extends WebSocketHandler {
  onMessage(message: string | Uint8Array): Promise<void> {
    return this.writeMessage(typeof message === "string" ? `You said: ${message}` : message);
  }
}

/** The page. Its script is ECMAScript 3, for the oldest browsers with WebSocket. */
const page = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Echo</title>
<style>
body { font: 16px/1.5 sans-serif; margin: 2em auto; max-width: 40em; padding: 0 1em; color: #222; }
input { font: inherit; width: 70%; padding: 0.3em; }
button { font: inherit; padding: 0.3em 1em; }
#log { background: #f4f4f2; border: 1px solid #ddd; padding: 1em; min-height: 12em; overflow: auto; white-space: pre-wrap; word-wrap: break-word; }
</style>
</head>
<body>
<h1>Echo</h1>
<form id="form">
<input id="message" value="Hello, world!" autocomplete="off">
<button id="send" type="submit">Send</button>
</form>
<pre id="log"></pre>
<script>
var received = [];
var log = document.getElementById("log");
function write(line) {
  var div = document.createElement("div");
  div.appendChild(document.createTextNode(line.length > 200 ? line.substring(0, 200) + " ... (" + line.length + " characters)" : line));
  log.appendChild(div);
}
var scheme = location.protocol === "https:" ? "wss://" : "ws://";
var socket = new WebSocket(scheme + location.host + "/websocket");
socket.onopen = function () { write("open"); };
socket.onclose = function (event) {
  write("closed" + (event && event.code ? ": " + event.code + " " + event.reason : ""));
};
socket.onmessage = function (event) {
  if (typeof event.data !== "string") { received.push(event.data); write("received: binary"); return; }
  received.push(event.data);
  write("received: " + event.data);
};
function send(text) {
  write("sent: " + text);
  socket.send(text);
}
document.getElementById("form").onsubmit = function () {
  send(document.getElementById("message").value);
  return false;
};
</script>
</body>
</html>
`;

const app = new Application([["/websocket", EchoHandler]], {
  compression: {},
  fetch(request: Request): Response {
    if (new URL(request.url).pathname !== "/") return new Response("Not found\n", { status: 404 });
    return new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } });
  },
});

const server = app.listen({
  port: Number(process.argv[2] ?? 8888),
  onListen: ({ port }) => console.log(`http://localhost:${port}/`),
});
process.once("SIGINT", () => void server.shutdown());
process.once("SIGTERM", () => void server.shutdown());
