import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { describe, test } from "node:test";
import { Application, WebSocketHandler } from "../../mod.ts";
import { type ConnectOptions, HandshakeError, websocketConnect } from "../../src/client/mod.ts";
import { resolveOptions, toHandshakeOptions } from "../../src/client/options.ts";
import { Redirects } from "../../src/client/redirect.ts";
import { credentials } from "../transport/links.ts";

/** A handshake with every field that may be a credential. */
function handshakeOf(url: string, headers: Record<string, string> = {}) {
  return toHandshakeOptions({ url }, {
    headers: {
      Authorization: "a",
      Cookie: "b",
      "Proxy-Authorization": "c",
      Trace: "d",
      ...headers,
    },
  });
}

function redirect(location: string | undefined, status = 302): HandshakeError {
  const headers = new Headers(location === undefined ? {} : { Location: location });
  return new HandshakeError("refused", { status, headers });
}

const SAME = "authorization cookie proxy-authorization trace";
const OTHER = "trace";

/** From where, the status, the `Location`, and the URL and the fields that come of it. */
const followed: readonly (readonly [
  from: string,
  status: number,
  location: string,
  to: string,
  fields: string,
])[] = [
  ["ws://a.example/x", 301, "ws://a.example/y", "ws://a.example/y", SAME],
  ["ws://a.example/x", 302, "http://a.example/y?z", "ws://a.example/y?z", SAME],
  ["ws://a.example/x", 303, "/y", "ws://a.example/y", SAME],
  ["ws://a.example/x/1", 307, "2", "ws://a.example/x/2", SAME],
  ["ws://a.example/x", 308, "?q", "ws://a.example/x?q", SAME],
  ["ws://a.example/x", 302, "//a.example/y", "ws://a.example/y", SAME],
  ["ws://a.example/x", 302, "//b.example/y", "ws://b.example/y", OTHER],
  ["ws://a.example/x", 302, "ws://a.example:80/y", "ws://a.example/y", SAME],
  ["ws://a.example/x", 302, "ws://a.example:81/y", "ws://a.example:81/y", OTHER],
  ["ws://a.example/x", 302, "ws://www.a.example/", "ws://www.a.example/", OTHER],
  ["ws://a.example/x", 302, "https://a.example/x", "wss://a.example/x", OTHER],
  ["ws://a.example/x", 302, "wss://A.example/x", "wss://a.example/x", OTHER],
  ["wss://a.example/x", 302, "https://a.example/y", "wss://a.example/y", SAME],
  ["wss://a.example/x", 302, "https://b.example/y", "wss://b.example/y", OTHER],
  ["ws://a.example/x", 302, "/y#part", "ws://a.example/y", SAME],
  ["ws://a.example/x", 302, "ws://u:p@a.example/y", "ws://a.example/y", SAME],
  ["ws://a.example/x", 302, "ws://u:p@b.example/y", "ws://b.example/y", OTHER],
];

describe("a redirect", () => {
  for (const [from, status, location, to, fields] of followed) {
    test(`${status} from ${from} to ${location}`, () => {
      const next = new Redirects(from, 1).follow(handshakeOf(from), redirect(location, status));
      assertEquals(next?.handshake.url.href, to);
      assertEquals(next?.handshake.headers.map(([name]) => name).join(" "), fields);
      assertEquals(next?.isCrossOrigin, fields === OTHER);
    });
  }

  test("keeps another Host only for the same origin", () => {
    const from = handshakeOf("ws://127.0.0.1/", { Host: "a.example" });
    const follow = (location: string) =>
      new Redirects(from.url.href, 1).follow(from, redirect(location))?.handshake.url.host;
    assertEquals(follow("/y"), "a.example");
    assertEquals(follow("ws://127.0.0.2/y"), "127.0.0.2");
  });

  const final: readonly (readonly [what: string, refusal: HandshakeError, max: number])[] = [
    ["a Location with another status", redirect("/y", 300), 5],
    ["a Location with 304", redirect("/y", 304), 5],
    ["no Location", redirect(undefined), 5],
    ["no response", new HandshakeError("refused"), 5],
    ["maxRedirects 0", redirect("/y"), 0],
  ];
  for (const [what, refusal, max] of final) {
    test(`is none with ${what}`, () => {
      const from = "ws://a.example/x";
      assertEquals(new Redirects(from, max).follow(handshakeOf(from), refusal), undefined);
    });
  }

  const wrong: readonly (readonly [from: string, location: string, says: string])[] = [
    [
      "wss://a.example/x",
      "ws://a.example/x",
      'Cannot connect to wss://a.example/x: a redirect from wss must lead to wss, got "ws://a.example/x"',
    ],
    ["wss://a.example/x", "http://b.example/", "a redirect from wss must lead to wss"],
    ["ws://a.example/x", "/x", 'redirected in a loop to "ws://a.example/x"'],
    [
      "ws://a.example/x",
      "ftp://a.example/",
      'redirected to "ftp://a.example/": the scheme must be ws or wss (RFC 6455 §3)',
    ],
    ["ws://a.example/x", "http://", 'redirected to "http://": '],
  ];
  for (const [from, location, says] of wrong) {
    test(`from ${from} to ${location} is an error`, () => {
      const error = assertThrows(
        () => new Redirects(from, 5).follow(handshakeOf(from), redirect(location)),
        HandshakeError,
        says,
      );
      assertEquals([error.status, error.headers.get("location")], [302, location]);
    });
  }

  test("is followed as often as maxRedirects says, and not once more", () => {
    const redirects = new Redirects("ws://a.example/0", 3);
    let handshake = handshakeOf("ws://a.example/0");
    for (let count = 1; count <= 3; count++) {
      const next = redirects.follow(handshake, redirect(`/${count}`));
      assertEquals(next?.handshake.url.href, `ws://a.example/${count}`);
      handshake = next?.handshake ?? handshake;
    }
    assertThrows(
      () => redirects.follow(handshake, redirect("/4")),
      HandshakeError,
      'Cannot connect to ws://a.example/0: more than maxRedirects (3) redirects, the last to "ws://a.example/4"',
    );
  });
});

describe("maxRedirects", () => {
  const bad: readonly (readonly [options: object, says: string])[] = [
    [{ maxRedirects: -1 }, "maxRedirects: must be a non-negative integer, got -1"],
    [{ maxRedirects: 1, path: "/tmp/a" }, "Cannot use maxRedirects: not with path, a unix socket"],
  ];
  for (const [options, says] of bad) {
    test(`is checked: ${says}`, () => {
      assertThrows(() => resolveOptions(options), Error, says);
    });
  }

  test("permits tls for a ws URL, which may be redirected to wss", () => {
    const url = "ws://a.example/";
    assertEquals(toHandshakeOptions({ url }, { tls: {}, maxRedirects: 1 }).url.secure, false);
    assertThrows(() => toHandshakeOptions({ url }, { tls: {} }), TypeError, "needs a wss URL");
  });
});

class Echo extends WebSocketHandler {
  override open(): void {
    this.writeMessage({ cookie: this.getCookie("a", "none") });
  }
  onMessage(): void {}
}

/** Runs `body` beside a server that redirects, one with TLS, and the target of both. */
async function redirecting(
  body: (ports: { plain: number; secure: number; target: number }) => Promise<void>,
): Promise<void> {
  await using target = new Application([["/echo", Echo]]).listen({
    hostname: "127.0.0.1",
    port: 0,
    ...credentials,
  });
  await target.listening;
  const ports = { plain: 0, secure: 0, target: target.addr.port };
  const answer = (request: IncomingMessage): string =>
    request.url?.replace("TARGET", String(ports.target)).slice(1) ?? "";
  const servers: Server[] = [
    createServer((request, response) => {
      response.writeHead(302, { Location: answer(request), Connection: "close" }).end("moved");
    }),
    createTlsServer({ ...credentials }, (request, response) => {
      response.writeHead(307, { Location: answer(request), Connection: "close" }).end();
    }),
  ];
  for (const server of servers) {
    // Without a listener, the request of an upgrade is served like any other.
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  }
  [ports.plain, ports.secure] = servers.map((one) => (one.address() as AddressInfo).port) as [
    number,
    number,
  ];
  try {
    await body(ports);
  } finally {
    for (const server of servers) server.close();
  }
}

describe("a client follows redirects between real servers", () => {
  const options: ConnectOptions = {
    maxRedirects: 3,
    tls: { ca: credentials.cert },
    headers: { Cookie: "a=secret" },
  };

  test("from ws to wss, and leaves the cookie behind", () =>
    redirecting(async ({ plain, target }) => {
      const url = `ws://127.0.0.1:${plain}/https://127.0.0.1:${target}/echo`;
      await using socket = await websocketConnect(url, options);
      assertEquals(JSON.parse(String(await socket.readMessage())).cookie, "none");
    }));

  test("several times, with a version of 2010", () =>
    redirecting(async ({ plain, secure, target }) => {
      const last = `https://127.0.0.1:${target}/echo`;
      const url = `ws://127.0.0.1:${plain}/https://127.0.0.1:${secure}/${last}`;
      await using socket = await websocketConnect(url, { ...options, version: "draft76" });
      assertEquals(socket.version, "draft76");
    }));

  test("within one handshakeTimeout", () =>
    redirecting(async ({ plain }) => {
      const sockets: Socket[] = [];
      const silent = createTcpServer((socket) => void sockets.push(socket.on("error", () => {})));
      await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
      const { port } = silent.address() as AddressInfo;
      const url = `ws://127.0.0.1:${plain}/ws://127.0.0.1:${port}/`;
      await assertRejects(
        () => websocketConnect(url, { maxRedirects: 1, handshakeTimeout: 300 }),
        HandshakeError,
        "within handshakeTimeout (300 ms)",
      );
      for (const socket of sockets) socket.destroy();
      silent.close();
    }));

  test("but not without maxRedirects", () =>
    redirecting(async ({ plain, target }) => {
      const url = `ws://127.0.0.1:${plain}/https://127.0.0.1:${target}/echo`;
      const error = await assertRejects(() => websocketConnect(url), HandshakeError, "302");
      assertEquals(error.headers.get("location"), `https://127.0.0.1:${target}/echo`);
    }));
});
