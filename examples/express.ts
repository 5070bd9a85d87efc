/**
 * WebSockets beside Express, with the session of express-session.
 *
 *     npm install express express-session
 *     deno run -A examples/express.ts [port]
 *     bun run examples/express.ts [port]
 *     node examples/express.ts [port]
 *
 * Open http://localhost:8888/ and log in as anybody. The WebSocket knows who you are.
 */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import express from "express";
import session from "express-session";
import { Application, HttpError, WebSocketHandler } from "@waterspout/websocket";

// With `@types/express` and `@types/express-session`, you need not write these.
interface SessionRequest extends IncomingMessage {
  readonly session: { user?: string };
  readonly body: { readonly user?: string };
}
interface Reply {
  type(name: string): Reply;
  send(body: string): void;
  redirect(status: number, url: string): void;
}

// The secret of a service is in its environment. Its sessions are in a database.
const sessions = session({ secret: "tornado", resave: false, saveUninitialized: false });

class ChatHandler extends WebSocketHandler {
  #user = "";

  /** Express does not see the request of a WebSocket, so its middleware is called here. */
  override async prepare(): Promise<void> {
    const request = this.rawRequest as SessionRequest;
    await new Promise<void>((resolve, reject) => {
      sessions(request, {}, (error?: Error) => error ? reject(error) : resolve());
    });
    if (request.session.user === undefined) throw new HttpError(401, "Log in first");
    this.#user = request.session.user;
  }

  override open(): void {
    this.writeMessage(`Hello, ${this.#user}!`);
  }

  onMessage(message: string | Uint8Array): Promise<void> {
    return this.writeMessage(`${this.#user}: ${message}`);
  }
}

const page = `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Express</title>
<form method="post" action="/login"><input name="user" placeholder="Name"><button>Log in</button></form>
<pre id="log"></pre>
<script>
var log = document.getElementById("log");
var socket = new WebSocket("ws://" + location.host + "/chat");
socket.onmessage = function (event) { log.textContent += event.data + "\\n"; };
socket.onclose = function () { log.textContent += "Not logged in\\n"; };
</script>
</html>
`;

const site = express();
site.use(sessions, express.urlencoded({ extended: false }));
site.get("/", (_request: SessionRequest, response: Reply) => void response.type("html").send(page));
site.post("/login", (request: SessionRequest, response: Reply) => {
  request.session.user = String(request.body.user);
  response.redirect(303, "/");
});

const app = new Application([["/chat", ChatHandler]]);
const server = createServer(site);
app.attach(server);
server.listen(Number(process.argv[2] ?? 8888), () => {
  console.log(`http://localhost:${(server.address() as AddressInfo).port}/`);
});

/** Closes the WebSockets with 1001, and then the server. */
async function stop(): Promise<void> {
  await app.shutdown();
  server.close();
  server.closeAllConnections();
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
