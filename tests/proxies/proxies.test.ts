import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { Draft76Client } from "../support/draft76_client.ts";
import { echoOf, startEchoExample } from "../support/echo_example.ts";
import { type ProxyName, startProxy } from "./proxy.ts";

/** Texts of 0 to 1 MiB, with characters of one, two, three and four bytes. */
const texts: readonly string[] = [
  "",
  "Hello",
  "Ahoj, žluťoučký kůň; 日本語; 👋🏽",
  ...[125, 126, 1024, 65_535, 65_536, 1024 * 1024].map((size) => "x".repeat(size)),
  "語".repeat(100_000),
];

/** Runs `body` with the port of a proxy before the echo example, and ends both. */
async function behind(proxy: ProxyName, body: (port: number) => Promise<void>): Promise<void> {
  const example = await startEchoExample();
  try {
    const { port, stop } = await startProxy(proxy, example.port);
    try {
      await body(port);
    } finally {
      await stop();
    }
  } finally {
    await example.child.stop();
  }
}

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

// A proxy reads 8 bytes after a GET as the beginning of the next request. It becomes a tunnel when the
// 101 has passed.
describe("a draft76 client gets its 101 before it has sent key3, and then its echoes, behind", () => {
  for (const proxy of ["HAProxy in TCP mode", "nginx", "Caddy"] as const) {
    test(proxy, () =>
      behind(proxy, async (port) => {
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
      }));
  }
});

describe("an RFC 6455 client gets its echoes behind", () => {
  for (const proxy of ["HAProxy in HTTP mode", "HAProxy in TCP mode", "nginx", "Caddy"] as const) {
    test(proxy, () =>
      behind(proxy, async (port) => {
        assertEquals(await echoByWebSocket(port), texts.map(echoOf));
      }));
  }
});
