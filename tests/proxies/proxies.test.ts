import { assertEquals } from "@std/assert";
import { after, before, describe, test } from "node:test";
import { Draft76Client } from "../support/draft76_client.ts";
import { type EchoExample, echoOf, startEchoExample } from "../support/echo_example.ts";
import { type Proxy, type ProxyName, startProxy } from "./proxy.ts";

/** The proxies before a server that needs no settings for them. */
const PROXIES: readonly ProxyName[] = [
  "HAProxy in HTTP mode",
  "HAProxy in TCP mode",
  "nginx",
  "Caddy",
  "Apache",
  "lighttpd",
  "nghttpx",
];

/** Texts of 0 to 1 MiB, with characters of one, two, three and four bytes. */
const texts: readonly string[] = [
  "",
  "Hello",
  "Ahoj, žluťoučký kůň; 日本語; 👋🏽",
  ...[125, 126, 1024, 65_535, 65_536, 1024 * 1024].map((size) => "x".repeat(size)),
  "語".repeat(100_000),
];

/** Sends the texts one by one, and then all at once, with the runtime's own client of RFC 6455. */
function echoByWebSocket(port: number): Promise<string[]> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/websocket`);
  const received: string[] = [];
  return new Promise((resolve, reject) => {
    socket.onopen = () => texts.forEach((text) => socket.send(text));
    socket.onmessage = ({ data }) => {
      received.push(data);
      if (received.length === texts.length) socket.close(1000);
    };
    socket.onclose = ({ code, reason, wasClean }) => {
      if (wasClean && code === 1000) resolve(received);
      else reject(new Error(`Closed with ${code} ${reason} after ${received.length} messages`));
    };
  });
}

describe("behind a proxy", () => {
  let example: EchoExample;
  const proxies = new Map<ProxyName, Proxy>();
  before(async () => {
    example = await startEchoExample();
    for (const name of PROXIES) proxies.set(name, await startProxy(name, example.port));
  });
  after(async () => {
    for (const { stop } of proxies.values()) await stop();
    await example?.child.stop();
  });
  const portOf = (name: ProxyName) => proxies.get(name)?.port ?? 0;

  // A proxy reads 8 bytes after a GET as the beginning of the next request. It becomes a tunnel when the
  // 101 has passed.
  for (const proxy of PROXIES.filter((name) => name !== "HAProxy in HTTP mode")) {
    test(`${proxy}: a draft76 client gets its 101 before it has sent key3, then its echoes`, async () => {
      const port = portOf(proxy);
      const url = `ws://127.0.0.1:${port}/websocket`;
      const client = await Draft76Client.connect({ port, url, holdKey3: true });
      try {
        for (const text of texts) {
          client.send(text);
          assertEquals(await client.receiveText(), echoOf(text));
        }
        await client.close();
      } finally {
        await client.destroy();
      }
    });
  }

  for (const proxy of PROXIES) {
    test(`${proxy}: an RFC 6455 client gets its echoes`, async () => {
      assertEquals(await echoByWebSocket(portOf(proxy)), texts.map(echoOf));
    });
  }
});
