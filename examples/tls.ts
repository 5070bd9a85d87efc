/**
 * `wss:` and `https:` on one port, with a certificate made at the start.
 *
 *     deno run --allow-net examples/tls.ts [port]
 *     bun run examples/tls.ts [port]
 *     node examples/tls.ts [port]
 *
 * Browsers warn, since the certificate is self-signed. A real service reads its own from two files:
 * `cert: readFileSync("fullchain.pem", "utf8")`, `key: readFileSync("privkey.pem", "utf8")`.
 */
import process from "node:process";
import { Application, WebSocketHandler } from "@waterspout/websocket";
import { selfSigned } from "./support/certificate.ts";

class EchoHandler extends WebSocketHandler {
  override open(): void {
    this.writeMessage(
      this.connection.secure ? "This connection is encrypted" : "This connection is not encrypted",
    );
  }

  onMessage(message: string | Uint8Array): Promise<void> {
    return this.writeMessage(message);
  }
}

const app = new Application([["/websocket", EchoHandler]], {
  fetch: (request) => new Response(`${new URL(request.url).protocol} works\n`),
  // The drafts of 2010 protect proxies only weakly. TLS hides the frames from them.
  secureDraftsOnly: true,
});

const server = app.listen({
  port: Number(process.argv[2] ?? 8443),
  ...await selfSigned("localhost"),
  onListen: ({ port }) => console.log(`https://localhost:${port}/`),
});
process.once("SIGINT", () => void server.shutdown());
process.once("SIGTERM", () => void server.shutdown());
