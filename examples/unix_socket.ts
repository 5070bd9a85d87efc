/**
 * Listens on a unix socket, behind a proxy on the same machine. No port is open, and the
 * permissions of the file control who may connect.
 *
 *     deno run --allow-net --allow-read --allow-write examples/unix_socket.ts [path]
 *     bun run examples/unix_socket.ts [path]
 *     node examples/unix_socket.ts [path]
 *
 * In nginx: `proxy_pass http://unix:/tmp/waterspout.sock:;`. To try it:
 * `curl --unix-socket /tmp/waterspout.sock http://localhost/`.
 */
import { rmSync } from "node:fs";
import process from "node:process";
import { Application, WebSocketHandler } from "@waterspout/websocket";

class EchoHandler extends WebSocketHandler {
  override open(): void {
    // From the proxy's X-Forwarded-For, since "unix" is a trusted proxy.
    console.log(`open: from ${this.connection.remoteAddress.hostname || "this machine"}`);
  }

  onMessage(message: string | Uint8Array): Promise<void> {
    return this.writeMessage(message);
  }
}

const app = new Application([["/websocket", EchoHandler]], {
  trustProxy: ["unix"],
  fetch: () => new Response("Hello\n"),
});

const path = process.argv[2] ?? "/tmp/waterspout.sock";
// A killed process leaves its file behind, which would make `listen` fail.
rmSync(path, { force: true });
const server = app.listen({ path, onListen: ({ hostname }) => console.log(`unix:${hostname}`) });

async function stop(): Promise<void> {
  await server.shutdown();
  rmSync(path, { force: true });
}

process.once("SIGINT", () => void stop());
process.once("SIGTERM", () => void stop());
