/**
 * Authentication: browsers send a cookie, programs send a token. Other clients get a 401.
 *
 *     deno run --allow-net examples/auth.ts [port]
 *     bun run examples/auth.ts [port]
 *     node examples/auth.ts [port]
 *
 * Open http://localhost:8888/ and log in as anybody, with the password "tornado". A program sends
 * `Authorization: Bearer secret-of-the-robot`.
 */
import process from "node:process";
import { Application, HttpError, WebSocketHandler } from "@waterspout/websocket";

/** User names by session; a service has them in its database. */
class Sessions {
  readonly #users: Map<string, string> = new Map();

  create(user: string): string {
    const session = crypto.randomUUID();
    this.#users.set(session, user);
    return session;
  }

  /** A promise, as a database would give. */
  find(session: string | undefined): Promise<string | undefined> {
    return Promise.resolve(this.#users.get(session ?? ""));
  }
}

const tokens: ReadonlyMap<string, string> = new Map([["secret-of-the-robot", "robot"]]);

class PrivateHandler extends WebSocketHandler<{ sessions: Sessions }> {
  #user = "";

  /** Runs before the handshake is answered. Pages of other origins were refused before. */
  override async prepare(): Promise<void> {
    const [, token = ""] =
      /^Bearer (\S+)$/i.exec(this.request.headers.get("authorization") ?? "") ?? [];
    const user = tokens.get(token) ?? await this.options.sessions.find(this.getCookie("session"));
    if (user === undefined) {
      throw new HttpError(401, "Log in first", { "www-authenticate": 'Bearer realm="private"' });
    }
    this.#user = user;
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
<title>Private</title>
<form method="post" action="/login">
  <input name="user" placeholder="Name">
  <input name="password" type="password" placeholder="Password: tornado">
  <button>Log in</button>
</form>
<pre id="log"></pre>
<script>
var log = document.getElementById("log");
var socket = new WebSocket("ws://" + location.host + "/private");
socket.onmessage = function (event) { log.textContent += event.data + "\\n"; };
socket.onclose = function () { log.textContent += "Not logged in\\n"; };
</script>
</html>
`;

const sessions = new Sessions();

async function logIn(request: Request): Promise<Response> {
  const form = new URLSearchParams(await request.text());
  const user = form.get("user");
  if (!user || form.get("password") !== "tornado") {
    return new Response("Wrong name or password\n", { status: 403 });
  }
  // HttpOnly: scripts cannot read the cookie. Over TLS, add Secure.
  const cookie = `session=${sessions.create(user)}; Path=/; HttpOnly; SameSite=Strict`;
  return new Response(null, { status: 303, headers: { location: "/", "set-cookie": cookie } });
}

const app = new Application([["/private", PrivateHandler, { sessions }]], {
  fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/login" && request.method === "POST") return logIn(request);
    if (pathname !== "/") return new Response("Not found\n", { status: 404 });
    return new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } });
  },
});

const server = app.listen({
  port: Number(process.argv[2] ?? 8888),
  onListen: ({ port }) => console.log(`http://localhost:${port}/`),
});
process.once("SIGINT", () => void server.shutdown());
process.once("SIGTERM", () => void server.shutdown());
