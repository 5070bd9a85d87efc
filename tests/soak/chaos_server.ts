/**
 * The server behind the proxy that splits, delays and cuts. It echoes, reports what each connection got
 * and how it ended, and closes with 4000 on the message `close`. `/page` and `/talk.js` are for browsers,
 * `/counts` returns the numbers of connections. Prints `ready PORT`.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { Application, WebSocketHandler } from "../../mod.ts";
import { reportClose, reportMessage } from "../client/peers/reporter.ts";

const script = readFileSync(new URL("talk.js", import.meta.url), "utf8");
const page = `<!DOCTYPE html><title>Chaos</title><script src="/talk.js"></script>`;

class Echo extends WebSocketHandler {
  override checkOrigin(): boolean {
    return true;
  }
  onMessage(message: string | Uint8Array): Promise<void> | void {
    if (message === "close") return this.#leave();
    reportMessage(this.request.url, message);
    return this.writeMessage(message);
  }
  #leave(): void {
    this.close(4000, "as you wish");
    // The old WebKit does not answer a close frame of draft76. It waits for the end of TCP.
    if (this.request.url.includes("PhantomJS-1-")) setTimeout(() => this.abort(), 5000);
  }
  override onClose(): void {
    reportClose(this.request.url, this.ended?.code ?? 0, this.ended?.by);
  }
}

function respond(request: Request): Response {
  const { pathname } = new URL(request.url);
  if (pathname === "/counts") return Response.json(app.stats().connections);
  const isScript = pathname === "/talk.js";
  const type = isScript ? "text/javascript" : "text/html";
  return new Response(isScript ? script : page, { headers: { "content-type": type } });
}

const app: Application = new Application([["/echo", Echo]], {
  versions: ["rfc6455", "hybi-08", "hybi-07", "draft76", "draft75"],
  compression: { threshold: 100 },
  pingInterval: 500,
  // The proxy delays the handshakes, and the machine may be slow.
  handshakeTimeout: 120_000,
  closeTimeout: 120_000,
  pingTimeout: 120_000,
  fetch: respond,
});
app.listen({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`ready ${port}`),
});
