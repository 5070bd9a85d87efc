/**
 * Listens on the descriptor 3, as a unit of systemd does, and echoes. With `tls`, it speaks TLS.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { Application, WebSocketHandler } from "../../../mod.ts";

class Echo extends WebSocketHandler {
  onMessage(message: string | Uint8Array): void {
    const { remoteAddress, localAddress } = this.connection;
    this.writeMessage(`${message} ${remoteAddress.transport} ${localAddress.transport}`);
  }
}

const pem = (name: string) =>
  readFileSync(new URL(`../../support/tls/${name}.pem`, import.meta.url), "utf8");
const tls = process.argv[2] === "tls" ? { cert: pem("cert"), key: pem("key") } : {};
const app = new Application([["/", Echo]]);
app.listen({
  fd: 3,
  ...tls,
  onListen: ({ transport, hostname, port }) => console.log(`on ${transport} ${hostname} ${port}.`),
});
process.once("SIGTERM", () => void app.shutdown());
