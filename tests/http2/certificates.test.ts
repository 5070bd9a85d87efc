import { assertEquals, assertRejects } from "@std/assert";
import { connect, createSecureServer } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Server as NetServer } from "node:net";
import { describe, test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { selfSigned } from "../../examples/support/certificate.ts";
import { Application, WebSocketHandler } from "../../mod.ts";
import { type ConnectOptions, websocketConnect } from "../../src/client/mod.ts";
import { nodeTransport } from "../../src/transport/node.ts";
import { runtime } from "../support/runtime.ts";

const [own, friend, stranger] = await Promise.all(
  ["server.example", "friend.example", "stranger.example"].map(selfSigned),
);
const { cert, key } = own ?? { cert: "", key: "" };
// The certificate of the friend is its own authority.
const ca = friend?.cert ?? "";

class Who extends WebSocketHandler {
  override open(): void {
    const { peerCertificate, secure } = this.connection;
    this.writeMessage(`${peerCertificate?.subject.CN ?? "nobody"}, ${secure}`);
    this.close();
  }
  onMessage(): void {}
}

/** How long a client waits that is refused: a session of Node does not notice it. In milliseconds. */
const REFUSED = { handshakeTimeout: 500 };

/** What the handler tells a client; the stream's or the connection's error if it is not served. */
async function seen(
  port: number,
  certificate: object | undefined,
  http2: boolean,
  options: ConnectOptions = {},
) {
  const url = `wss://127.0.0.1:${port}/`;
  if (!http2) {
    const tls = { insecure: true, ...certificate };
    return await (await websocketConnect(url, { tls, ...options })).readMessage();
  }
  const session = connect(url.replace("wss", "https"), {
    rejectUnauthorized: false,
    ...certificate,
  });
  session.on("error", () => {});
  try {
    return await (await websocketConnect(url, { http2: session, ...options })).readMessage();
  } finally {
    session.destroy();
  }
}

async function listening(server: NetServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

describe("a client's certificate over HTTP/2", () => {
  for (const clientCertificate of ["required", "optional"] as const) {
    test(`reaches the handlers of a listener where it is ${clientCertificate}`, async () => {
      const app = new Application([["/", Who]], { log() {} });
      const options = { port: 0, hostname: "127.0.0.1", cert, key, ca, clientCertificate };
      await using server = app.listen({ http2: true, ...options });
      await server.listening;
      const { port } = server.addr;
      for (const http2 of [true, false]) {
        assertEquals(await seen(port, friend, http2), "friend.example, true");
        await assertRejects(() => seen(port, stranger, http2, REFUSED));
        if (clientCertificate === "optional") {
          assertEquals(await seen(port, undefined, http2), "nobody, true");
        } else await assertRejects(() => seen(port, undefined, http2, REFUSED));
      }
    });
  }
});

describe("a client's certificate reaches the handlers of another server", () => {
  // These servers accept any certificate. Only a verified one is told.
  const options = { cert, key, ca, requestCert: true, rejectUnauthorized: false };
  const app = new Application([["/", Who]]);
  const servers: readonly (readonly [name: string, http2: boolean, start: () => NetServer])[] = [
    ["node:http2, by app.attach", true, () => {
      const server = createSecureServer({ ...options, allowHTTP1: true });
      app.attach(server);
      return server;
    }],
    ["node:https, by app.attach", false, () => {
      const server = createHttpsServer(options);
      app.attach(server);
      return server;
    }],
    [
      "node:tls, by app.accept",
      false,
      () => createTlsServer(options, (socket) => app.accept(nodeTransport(socket))),
    ],
  ];
  for (const [name, http2, start] of servers) {
    test(name, async () => {
      const server = start();
      const port = await listening(server);
      try {
        for (const speaksHttp2 of new Set([http2, false])) {
          // The sockets of Bun's `node:https` have no `getPeerCertificate`.
          const isTold = runtime !== "bun" || !name.includes("https");
          const expected = `${isTold ? "friend.example" : "nobody"}, true`;
          assertEquals(await seen(port, friend, speaksHttp2), expected);
          assertEquals(await seen(port, stranger, speaksHttp2), "nobody, true");
          assertEquals(await seen(port, undefined, speaksHttp2), "nobody, true");
        }
      } finally {
        server.close();
      }
    });
  }
});
