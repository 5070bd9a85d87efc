import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { after, before, describe, test } from "node:test";
import { Application, type Server, WebSocketHandler } from "../../mod.ts";
import {
  type ConnectOptions,
  HandshakeError,
  ProxyError,
  websocketConnect,
} from "../../src/client/mod.ts";
import { VERSIONS } from "../handshake/good_server.ts";
import { freePort } from "../support/free_port.ts";
import { credentials } from "../transport/links.ts";
import type { Proxy } from "./proxy.ts";
import { startForwardProxy } from "./forward_proxy.ts";

class Echo extends WebSocketHandler {
  onMessage(message: string | Uint8Array): Promise<void> {
    return this.writeMessage(message);
  }
}

const LARGE = "x".repeat(1024 * 1024);

async function echo(url: string, options: ConnectOptions): Promise<void> {
  await using socket = await websocketConnect(url, options);
  for (const message of ["Hello", LARGE]) {
    const sent = socket.writeMessage(message);
    assertEquals(await socket.readMessage() === message, true);
    await sent;
  }
}

async function refused(url: string, proxy: string): Promise<ProxyError> {
  const { cause } = await assertRejects(
    () => websocketConnect(url, { proxy }),
    HandshakeError,
    `Cannot connect to ${url} through proxy ${proxy.replace(/\/\/.*@/, "//")}: `,
  );
  assertInstanceOf(cause, ProxyError, String(cause));
  return cause;
}

/** Each proxy, the scheme of its URL, and what it says of wrong credentials and of a closed port. */
const proxies = [
  {
    name: "tinyproxy",
    scheme: "http",
    unauthorized: 'got "HTTP/1.0 407 ',
    wrong: 'got "HTTP/1.0 40',
    unreachable: 'got "HTTP/1.1 500 Unable to connect"',
  },
  {
    name: "microsocks",
    scheme: "socks5",
    unauthorized: "got method 0xFF",
    wrong: "the proxy refused the user name and password with status",
    unreachable: "got 0x05: Connection refused",
  },
] as const;

for (const { name, scheme, unauthorized, wrong, unreachable } of proxies) {
  describe(`through ${name}, a client`, () => {
    const app = new Application([["/echo", Echo]], { versions: VERSIONS });
    let plain: Server, secure: Server, open: Proxy, locked: Proxy;

    before(async () => {
      const where = { hostname: "127.0.0.1", port: 0 };
      [plain, secure] = [app.listen(where), app.listen({ ...where, ...credentials })];
      await Promise.all([plain.listening, secure.listening]);
      open = await startForwardProxy(name);
      locked = await startForwardProxy(name, { credentials: ["ada", "secret"] });
    });

    after(async () => {
      await Promise.all([open.stop(), locked.stop(), app.shutdown()]);
    });

    for (const version of VERSIONS) {
      test(`echoes with ${version}, and with TLS in the tunnel`, async () => {
        const proxy = `${scheme}://127.0.0.1:${open.port}`;
        await echo(`ws://127.0.0.1:${plain.addr.port}/echo`, { version, proxy });
        await echo(`wss://localhost:${secure.addr.port}/echo`, {
          version,
          proxy,
          tls: { ca: credentials.cert },
        });
      });
    }

    test("logs in", async () => {
      const proxy = `${scheme}://ada:secret@127.0.0.1:${locked.port}`;
      await echo(`ws://127.0.0.1:${plain.addr.port}/echo`, { proxy });
    });

    test("is refused without credentials, and with wrong ones", async () => {
      const url = `ws://127.0.0.1:${plain.addr.port}/echo`;
      const without = await refused(url, `${scheme}://127.0.0.1:${locked.port}`);
      assertEquals(without.message.includes(unauthorized), true, without.message);
      assertEquals(without.refusesCredentials, true);
      const other = await refused(url, `${scheme}://ada:x@127.0.0.1:${locked.port}`);
      assertEquals(other.message.includes(wrong), true, other.message);
    });

    test("learns that the server cannot be reached", async () => {
      const url = `ws://127.0.0.1:${await freePort()}/echo`;
      const { message, refusesCredentials } = await refused(
        url,
        `${scheme}://127.0.0.1:${open.port}`,
      );
      assertEquals(message.includes(unreachable), true, message);
      assertEquals(refusesCredentials, false);
    });
  });
}
