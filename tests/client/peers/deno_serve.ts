/**
 * An echo server with Deno.serve and Deno.upgradeWebSocket. Runs on Deno, and prints `ready PORT`. It
 * has the subprotocol `chat`. The message `close` closes with 4000.
 *
 * @module
 */
import { reportClose, reportMessage } from "./reporter.ts";

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`ready ${port}`),
}, (request) => {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    return new Response("not a WebSocket request", { status: 400 });
  }
  const offered = request.headers.get("sec-websocket-protocol")?.split(", ") ?? [];
  const { socket, response } = Deno.upgradeWebSocket(
    request,
    offered.includes("chat") ? { protocol: "chat" } : {},
  );
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => {
    reportMessage(request.url, typeof data === "string" ? data : new Uint8Array(data));
    if (data === "close") socket.close(4000, "as you wish");
    else socket.send(data);
  };
  socket.onclose = ({ code, reason }) => reportClose(request.url, code, reason);
  return response;
});
