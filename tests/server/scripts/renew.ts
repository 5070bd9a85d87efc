/**
 * A way to renew a certificate with a second listener, with the certificates of this test: `renew.ts FOLDER`.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { Application, WebSocketHandler } from "../../../mod.ts";

class Sink extends WebSocketHandler {
  onMessage(): void {}
}

const app = new Application([["/", Sink]]);
const [, , folder = ""] = process.argv;
let port = 0;

const listen = () =>
  app.listen({
    hostname: "127.0.0.1",
    port,
    reusePort: true,
    cert: readFileSync(join(folder, "cert.pem"), "utf8"),
    key: readFileSync(join(folder, "key.pem"), "utf8"),
  });

let server = listen();
await server.listening;
({ port } = server.addr);

async function renew(): Promise<void> {
  const old = server;
  const renewed = listen();
  await renewed.listening;
  server = renewed;
  await old.shutdown({ code: 1012, reason: "new certificate", timeout: 60_000 });
  console.log("renewed");
}

process.on("SIGHUP", () => renew().catch(({ message }) => console.log("not renewed:", message)));
console.log("port", port);
