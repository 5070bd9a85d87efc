import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { Application, type ListenOptions, WebSocketHandler } from "../../mod.ts";
import { websocketConnect } from "../../src/client/mod.ts";
import { Draft76Client } from "../support/draft76_client.ts";
import { credentials } from "../transport/links.ts";
import { hasNginxStream, type ProxyName, startProxy } from "./proxy.ts";

/** Tells the addresses of the connection, and then says what the client says. */
class Who extends WebSocketHandler {
  override open(): void {
    const { remoteAddress, localAddress } = this.connection;
    this.writeMessage(
      `${remoteAddress.hostname}:${remoteAddress.port} ${localAddress.hostname}:${localAddress.port}`,
    );
  }
  onMessage(message: string | Uint8Array): void {
    this.writeMessage(message);
  }
}

/** Runs `body` with the port of a proxy in front of a server that asks for PROXY headers. */
async function behind(
  proxy: ProxyName,
  body: (port: number) => Promise<void>,
  options: ListenOptions = {},
): Promise<void> {
  // Each check whether the proxy accepts connections ends a TLS handshake.
  const settings = { proxyProtocol: true, trustProxy: ["127.0.0.0/8"], log() {} };
  await using server = new Application([["/", Who]], settings).listen({
    hostname: "127.0.0.1",
    ...options,
  });
  await server.listening;
  const { port, stop } = await startProxy(proxy, server.addr.port);
  try {
    await body(port);
  } finally {
    await stop();
  }
}

const proxies: readonly ProxyName[] = [
  "HAProxy with send-proxy",
  "HAProxy with send-proxy-v2",
  ...(hasNginxStream ? ["nginx with proxy_protocol" as const] : []),
];

describe("the address of a draft76 client arrives behind", () => {
  for (const proxy of proxies) {
    test(proxy, () =>
      behind(proxy, async (port) => {
        const clients = [
          await Draft76Client.connect({ port }),
          await Draft76Client.connect({ port }),
        ];
        for (const client of clients) {
          const { localPort } = client.socket;
          const addresses = `127.0.0.1:${localPort} 127.0.0.1:${port}`;
          assertEquals(await client.receiveText(), addresses);
          for (const text of ["", "Hello", "x".repeat(1_000_000)]) {
            client.send(text);
            assertEquals(await client.receiveText(), text);
          }
          await client.close();
          await client.destroy();
        }
      }));
  }
});

describe("the address of a client with TLS arrives behind", () => {
  for (const proxy of proxies) {
    test(`${proxy}, which passes TLS on`, () =>
      behind(proxy, async (port) => {
        const tls = { insecure: true };
        const client = await websocketConnect(`wss://127.0.0.1:${port}/`, { tls });
        const message = String(await client.readMessage());
        assertEquals(/^127\.0\.0\.1:\d+ /.exec(message) !== null, true, message);
        assertEquals(message.endsWith(` 127.0.0.1:${port}`), true, message);
        client.writeMessage("x".repeat(1_000_000));
        assertEquals((await client.readMessage())?.length, 1_000_000);
        client.close(1000);
        await client.closed;
      }, credentials));
  }
});
