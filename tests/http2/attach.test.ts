import { assert, assertEquals } from "@std/assert";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import {
  type ClientHttp2Session,
  connect,
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { Application, type AttachOptions, WebSocketHandler } from "../../mod.ts";
import { websocketConnect } from "../../src/client/mod.ts";
import { handshake, settingsOf } from "./rig.ts";

const credentials = {
  cert: readFileSync(new URL("../support/tls/cert.pem", import.meta.url), "utf8"),
  key: readFileSync(new URL("../support/tls/key.pem", import.meta.url), "utf8"),
};

class Echo extends WebSocketHandler {
  onMessage(message: string | Uint8Array): Promise<void> {
    return this.writeMessage(message);
  }
}

/** A server, and a session with it. */
class Host implements AsyncDisposable {
  readonly app = new Application([["/ws", Echo]], { log: (...line) => this.logged.push(line) });
  readonly logged: unknown[] = [];
  readonly server: Http2Server | Http2SecureServer;
  readonly #clients: ClientHttp2Session[] = [];

  constructor(secure = false) {
    this.server = secure
      ? createSecureServer({ ...credentials, allowHTTP1: true })
      : createServer();
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async session(): Promise<ClientHttp2Session> {
    const session = "addContext" in this.server
      ? connect(`https://localhost:${this.port}`, {
        ca: credentials.cert,
        host: "127.0.0.1",
        servername: "localhost",
      })
      : connect(`http://127.0.0.1:${this.port}`);
    session.on("error", () => {});
    this.#clients.push(session);
    await settingsOf(session);
    return session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app.shutdown();
    for (const client of this.#clients) client.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** Sends a request, and returns the status and the body. */
async function ask(
  session: ClientHttp2Session,
  fields: OutgoingHttpHeaders,
): Promise<{ status: number | undefined; body: string }> {
  const stream = session.request(fields);
  let headers: IncomingHttpHeaders & { ":status"?: number | undefined } = {};
  let body = "";
  stream.setEncoding("utf8");
  stream.on("error", () => {});
  stream.on("response", (response) => headers = response);
  stream.on("data", (chunk) => body += chunk);
  stream.on("end", () => stream.close());
  await new Promise((resolve) => stream.on("close", resolve));
  return { status: headers[":status"], body };
}

async function echo(session: ClientHttp2Session, url: string): Promise<void> {
  const connection = await websocketConnect(url, { http2: session });
  await connection.writeMessage("Hello");
  assertEquals(await connection.readMessage(), "Hello");
  connection.close(1000);
  await connection.closed;
  assertEquals(connection.closeCode, 1000);
}

describe("an application attached to a server of node:http2", () => {
  for (const secure of [false, true]) {
    test(`serves streams beside its requests${secure ? ", over TLS with allowHTTP1" : ""}`, async () => {
      await using host = new Host(secure);
      host.server.on("request", (_, response) => void response.end("from the user"));
      const attachment = host.app.attach(host.server);
      await host.listen();
      const session = await host.session();
      const scheme = secure ? "wss" : "ws";
      await echo(session, `${scheme}://localhost:${host.port}/ws`);
      assertEquals(await ask(session, { ":path": "/" }), { status: 200, body: "from the user" });
      const elsewhere = await ask(session, handshake("/elsewhere"));
      assertEquals(elsewhere, { status: 404, body: "no route matches the path\n" });
      const other = await ask(session, handshake("/ws", { ":protocol": "connect-udp" }));
      assertEquals(other.status, 501);
      assert(other.body.includes("connect-udp"), other.body);
      if (secure) {
        // HTTP/1.1 on the same port goes on.
        const tls = { ca: credentials.cert };
        const url = `wss://localhost:${host.port}/ws`;
        await using old = await websocketConnect(url, { tls });
        await old.writeMessage("over HTTP/1.1");
        assertEquals(await old.readMessage(), "over HTTP/1.1");
        assertEquals(await getOverHttp1(host.port), "from the user");
      }
      assertEquals(host.logged, []);
      while (attachment.connections > 0) await new Promise((next) => setTimeout(next, 1));
    });
  }

  test("hides its streams from other listeners, and leaves them the rest", async () => {
    for (const early of [true, false]) {
      await using host = new Host();
      const seen: string[] = [];
      const listen = () => {
        host.server.on("stream", (stream, headers) => {
          seen.push(`stream ${headers[":path"]}`);
          if (headers[":protocol"] !== undefined) {
            stream.on("error", () => {});
            stream.respond({ ":status": 298 }, { endStream: true });
          }
        });
        host.server.on("request", ({ url }, response) => {
          seen.push(`request ${url}`);
          response.end();
        });
        host.server.on("connect", ({ url }) => seen.push(`connect ${url}`));
      };
      if (early) listen();
      host.app.attach(host.server);
      if (!early) listen();
      await host.listen();
      const session = await host.session();
      await echo(session, `ws://127.0.0.1:${host.port}/ws`);
      assertEquals(seen.splice(0), []);
      assertEquals((await ask(session, handshake("/other"))).status, 298);
      const udp = handshake("/ws", { ":protocol": "connect-udp" });
      assertEquals((await ask(session, udp)).status, 298);
      await ask(session, { ":path": "/page" });
      assertEquals(seen, [
        ...["stream /other", "connect /other", "stream /ws", "connect /ws"],
        ...["stream /page", "request /page"],
      ]);
    }
  });

  test("asks passThrough, with the fields and the stream", async () => {
    const asked: unknown[] = [];
    const options: AttachOptions = {
      passThrough: (request) => {
        const { method, url, httpVersion, rawHeaders, headers, stream } = request as unknown as {
          readonly [name: string]: unknown;
        };
        asked.push([method, url, httpVersion, Array.isArray(rawHeaders), typeof stream]);
        const tenant = (headers as IncomingHttpHeaders)["x-tenant"];
        if (tenant === "throw") throw new Error("on purpose");
        return tenant === "other";
      },
    };
    await using host = new Host();
    host.app.attach(host.server, options);
    await host.listen();
    const session = await host.session();
    await echo(session, `ws://127.0.0.1:${host.port}/ws`);
    assertEquals(asked, [["CONNECT", "/ws", "2.0", true, "object"]]);
    const passed = await ask(session, handshake("/ws", { "x-tenant": "other" }));
    assertEquals(passed.status, 404);
    const failed = await ask(session, handshake("/ws", { "x-tenant": "throw" }));
    assertEquals(failed, { status: 500, body: "internal error\n" });
  });

  test("turns extended CONNECT on by itself, for open sessions at their next request", async () => {
    await using host = new Host();
    host.server.on("request", (_, response) => void response.end("Hello"));
    await host.listen();
    const old = await host.session();
    assertEquals((await ask(old, { ":path": "/" })).body, "Hello");
    const attachment = host.app.attach(host.server);
    const url = `ws://127.0.0.1:${host.port}/ws`;
    await echo(await host.session(), url);
    assertEquals(old.remoteSettings.enableConnectProtocol, false);
    const settings = new Promise((resolve) => old.once("remoteSettings", resolve));
    assertEquals((await ask(old, { ":path": "/" })).body, "Hello");
    await settings;
    await echo(old, url);
    await attachment.shutdown();
    attachment.detach();
    assertEquals(Object.hasOwn(host.server, "emit"), false);
    assertEquals((await ask(old, { ":path": "/" })).body, "Hello");
  });

  test("shuts down with 1001, and leaves the session to the user", async () => {
    await using host = new Host();
    host.server.on("request", (_, response) => void response.end("still here"));
    const attachment = host.app.attach(host.server);
    await host.listen();
    const session = await host.session();
    const url = `ws://127.0.0.1:${host.port}/ws`;
    const clients = [
      await websocketConnect(url, { http2: session }),
      await websocketConnect(url, { http2: session }),
    ];
    assertEquals(attachment.connections, 2);
    await attachment.shutdown();
    for (const client of clients) {
      assertEquals(await client.readMessage(), undefined);
      assertEquals(client.closeCode, 1001);
    }
    assertEquals((await ask(session, handshake("/ws"))).status, 503);
    assertEquals((await ask(session, { ":path": "/" })).body, "still here");
    attachment.detach();
    assertEquals((await ask(session, handshake("/ws"))).status, 405);
  });
});

/** Requests a page with HTTP/1.1. */
function getOverHttp1(port: number): Promise<string> {
  const options = { host: "127.0.0.1", servername: "localhost", ca: credentials.cert, port };
  return new Promise((resolve, reject) => {
    const sent = request({ ...options, path: "/", agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => body += chunk);
      response.on("end", () => resolve(body));
    });
    sent.on("error", reject);
    sent.end();
  });
}
