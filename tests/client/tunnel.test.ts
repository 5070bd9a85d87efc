import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { describe, test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { Application, type ListenOptions, WebSocketHandler } from "../../mod.ts";
import {
  type ConnectOptions,
  HandshakeError,
  ProxyError,
  websocketConnect,
} from "../../src/client/mod.ts";
import { resolveOptions } from "../../src/client/options.ts";
import { memoryPair } from "../../src/transport/memory.ts";
import { credentials } from "../transport/links.ts";

class Echo extends WebSocketHandler {
  onMessage(message: string | Uint8Array): Promise<void> {
    return this.writeMessage(message);
  }
}

/** Of handshakes that fail on purpose. */
const log = () => {};

const LARGE = "x".repeat(512 * 1024);

async function echo(url: string, options: ConnectOptions): Promise<void> {
  await using socket = await websocketConnect(url, options);
  for (const message of ["Hello", LARGE]) {
    const sent = socket.writeMessage(message);
    assertEquals(await socket.readMessage() === message, true);
    await sent;
  }
}

/** An HTTP proxy, with or without TLS, that answers as a test says. */
class TestProxy implements AsyncDisposable {
  /** The requests so far. */
  readonly requests: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Connections of TCP, also those whose TLS handshake has failed. */
  readonly #accepted: Socket[] = [];
  readonly #answer: ((socket: Socket) => void) | undefined;
  #changed: () => void = () => {};

  constructor({ secure = false, answer }: {
    readonly secure?: boolean;
    readonly answer?: (socket: Socket) => void;
  }) {
    this.#answer = answer;
    const serve = (socket: Socket) => this.#serve(socket);
    this.#server = secure
      ? createTlsServer({ ...credentials, allowHalfOpen: true }, serve)
      : createServer({ allowHalfOpen: true }, serve);
    this.#server.on("connection", (socket: Socket) => this.#accepted.push(socket));
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** Waits until all its connections are closed. */
  async closed(): Promise<void> {
    while (this.#sockets.size > 0) {
      await new Promise<void>((resolve) => this.#changed = resolve);
    }
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#sockets.delete(socket);
      this.#changed();
    });
    let head = "";
    const receive = (chunk: Uint8Array) => {
      head += new TextDecoder().decode(chunk);
      if (!head.endsWith("\r\n\r\n")) return;
      socket.off("data", receive);
      this.requests.push(head);
      if (this.#answer === undefined) tunnel(socket, head);
      else {
        socket.on("end", () => socket.end()).resume();
        this.#answer(socket);
      }
    };
    socket.on("data", receive);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#accepted) socket.destroy();
    await new Promise<unknown>((resolve) => this.#server.close(resolve));
  }
}

function tunnel(socket: Socket, head: string): void {
  const port = Number(/^CONNECT [^ ]*:(\d+) /.exec(head)?.[1]);
  const server = connect({ host: "127.0.0.1", port, allowHalfOpen: true }, () => {
    // Byte by byte at the end, and then whatever the server sends.
    socket.write("HTTP/1.1 200 OK\r\n\r");
    socket.write("\n");
    server.pipe(socket);
    socket.pipe(server);
  });
  server.on("error", () => socket.destroy());
  socket.on("close", () => server.destroy());
}

/** Runs `body` with the port of an echo server. */
async function serving(
  options: ListenOptions,
  body: (port: number) => Promise<void>,
): Promise<void> {
  await using server = new Application([["/echo", Echo]], { log }).listen({
    hostname: "127.0.0.1",
    port: 0,
    ...options,
  });
  await server.listening;
  await body(server.addr.port);
}

const ca = credentials.cert;

describe("a tunnel of an HTTP proxy", () => {
  for (const secure of [false, true]) {
    const [scheme, proxyTls] = secure ? ["https", { proxyTls: { ca } }] as const : ["http", {}];
    test(`with ${scheme}: leads to ws: and wss:`, async () => {
      await using proxy = new TestProxy({ secure });
      const options = { proxy: `${scheme}://127.0.0.1:${await proxy.listen()}`, ...proxyTls };
      await serving({}, (port) => echo(`ws://127.0.0.1:${port}/echo`, options));
      await serving(credentials, async (port) => {
        await echo(`wss://127.0.0.1:${port}/echo`, { ...options, tls: { ca } });
        const connecting = () => websocketConnect(`wss://127.0.0.1:${port}/echo`, options);
        await assertRejects(connecting, HandshakeError, `through proxy ${scheme}://127.0.0.1:`);
      });
      await proxy.closed();
    });
  }

  test("is closed at once by abort(), and by a TLS handshake that fails or is not answered", async () => {
    const silent = createServer((socket) => void socket.on("error", () => {}).resume());
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    for (const secure of [false, true]) {
      await using proxy = new TestProxy({ secure });
      const options: ConnectOptions = {
        proxy: `${secure ? "https" : "http"}://127.0.0.1:${await proxy.listen()}`,
        proxyTls: { ca },
      };
      await serving(credentials, async (port) => {
        const url = `wss://127.0.0.1:${port}/echo`;
        (await websocketConnect(url, { ...options, tls: { ca } })).abort();
        await assertRejects(() => websocketConnect(url, options), HandshakeError);
        await proxy.closed();
      });
      await assertRejects(
        () => websocketConnect(`wss://127.0.0.1:${port}/`, { ...options, handshakeTimeout: 300 }),
        HandshakeError,
        "no connection within handshakeTimeout (300 ms)",
      );
      await proxy.closed();
    }
    silent.close();
  });

  test("does not open to a proxy with an unknown certificate", async () => {
    await using proxy = new TestProxy({ secure: true });
    const options = { proxy: `https://127.0.0.1:${await proxy.listen()}` };
    await assertRejects(
      () => websocketConnect("ws://a.example/", options),
      HandshakeError,
      `through proxy ${options.proxy}: `,
    );
    assertEquals(proxy.requests, []);
  });

  test("resolves names: only the proxy sees the address", async () => {
    await using proxy = new TestProxy({});
    const options = { proxy: `http://127.0.0.1:${await proxy.listen()}` };
    await serving({}, (port) => echo(`ws://nowhere.invalid:${port}/echo`, options));
    assertEquals(/^CONNECT nowhere\.invalid:\d+ HTTP/.test(proxy.requests[0] ?? ""), true);
  });

  test("may bring bytes of the server together with the answer of the proxy", async () => {
    const both = "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 404 Not here\r\nContent-Length: 0\r\n\r\n";
    await using proxy = new TestProxy({ answer: (socket) => socket.write(both) });
    const options = { proxy: `http://127.0.0.1:${await proxy.listen()}` };
    await assertRejects(
      () => websocketConnect("ws://a.example/", options),
      HandshakeError,
      'Cannot connect to ws://a.example/: the status must be 101, got "HTTP/1.1 404 Not here"',
    );
    await proxy.closed();
  });

  test("is asked for by a function, for each URL", async () => {
    await using proxy = new TestProxy({});
    const url = `http://127.0.0.1:${await proxy.listen()}`;
    const asked: string[] = [];
    const options: ConnectOptions = {
      proxy: (target) => {
        asked.push(target);
        return asked.length === 1 ? undefined : url;
      },
    };
    await serving({}, async (port) => {
      for (let count = 0; count < 2; count++) await echo(`ws://127.0.0.1:${port}/echo`, options);
      assertEquals(asked, Array(2).fill(`ws://127.0.0.1:${port}/echo`));
    });
    assertEquals(proxy.requests.length, 1);
  });
});

/** What a proxy does instead of opening a tunnel, and the error. */
const failures: readonly (readonly [
  what: string,
  answer: (socket: Socket) => void,
  says: string,
  isAnswer: boolean,
])[] = [
  [
    "refuses",
    (socket) => socket.end("HTTP/1.1 403 Filtered\r\n\r\n"),
    'the status must be 2xx, got "HTTP/1.1 403 Filtered" (RFC 9110 §9.3.6)',
    true,
  ],
  ["is no proxy", (socket) => socket.write("220 smtp\r\n"), "must begin with", true],
  ["sends FIN", (socket) => socket.end("HTTP/1.1 2"), "closed the connection before", false],
  [
    "sends an endless head",
    (socket) => socket.write(`HTTP/1.1 200 OK\r\nA: ${"b".repeat(20_000)}`),
    "the response's head must not exceed maxHeaderSize (16384 bytes)",
    true,
  ],
  [
    "is silent",
    () => {},
    "no connection within handshakeTimeout (500 ms)",
    false,
  ],
];

describe("a client closes its connection to a proxy that", () => {
  for (const [what, answer, says, isAnswer] of failures) {
    test(what, async () => {
      await using proxy = new TestProxy({ answer });
      const url = `http://127.0.0.1:${await proxy.listen()}`;
      // Only the silent proxy must be waited for.
      const handshakeTimeout = what === "is silent" ? 500 : 60_000;
      const { cause } = await assertRejects(
        () => websocketConnect("ws://a.example/", { proxy: url, handshakeTimeout }),
        HandshakeError,
        `Cannot connect to ws://a.example/ through proxy ${url}: `,
      ).then((error) => {
        assertEquals(error.message.includes(says), true, error.message);
        return error;
      });
      if (isAnswer) assertInstanceOf(cause, ProxyError);
      await proxy.closed();
    });
  }

  test("is silent, when its signal aborts", async () => {
    const controller = new AbortController();
    await using proxy = new TestProxy({ answer: () => controller.abort(new RangeError("enough")) });
    const url = `http://127.0.0.1:${await proxy.listen()}`;
    const options = { proxy: url, signal: controller.signal };
    await assertRejects(() => websocketConnect("ws://a.example/", options), RangeError, "enough");
    await proxy.closed();
  });

  test("cannot be reached: there is none", async () => {
    const options = { proxy: "socks5://ada:secret@127.0.0.1:1" };
    const error = await assertRejects(
      () => websocketConnect("ws://a.example/", options),
      HandshakeError,
      "Cannot connect to ws://a.example/ through proxy socks5://127.0.0.1:1: ",
    );
    assertEquals(error.message.includes("secret"), false);
  });
});

const bad: readonly (readonly [options: object, says: string])[] = [
  [{ proxy: 5 }, "proxy: must be a URL or a function, got 5"],
  [{ proxy: "" }, 'proxy: must be a URL or a function, got ""'],
  [{ proxy: "a.example" }, 'Cannot use proxy "a.example": the scheme must be http'],
  [{ proxy: "http://a", path: "/tmp/a" }, "Cannot use proxy: not with path, a unix socket"],
  [
    { proxy: "http://a", transport: memoryPair()[0] },
    "Cannot use proxy: not with transport, which is already connected",
  ],
  [{ proxyTls: undefined }, "Cannot use proxyTls: must be an object, got undefined"],
  [{ proxyTls: { ca: "" } }, 'ca must be a string in PEM, got ""'],
  [
    { proxyTls: { servername: "a" } },
    'proxyTls option "servername": unknown; did you mean serverName?',
  ],
];

describe("an option for a proxy is checked", () => {
  for (const [options, says] of bad) {
    test(says, async () => {
      await assertRejects(
        () => Promise.resolve().then(() => resolveOptions(options)),
        TypeError,
        says,
      );
    });
  }

  test("also the result of a function", async () => {
    const options = { proxy: () => 5 as unknown as string };
    await assertRejects(
      () => websocketConnect("ws://a.example/", options),
      TypeError,
      "Cannot use proxy for ws://a.example/: must be a URL, got 5",
    );
  });
});

describe("a TLS client", () => {
  test("sends the name of the host (SNI), also through a proxy", async () => {
    const hellos: string[] = [];
    const target = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", (hello) => {
        hellos.push(new TextDecoder("latin1").decode(hello));
        socket.destroy();
      });
    });
    await new Promise<void>((resolve) => target.listen(0, "127.0.0.1", resolve));
    await using proxy = new TestProxy({});
    const url = `wss://localhost:${(target.address() as AddressInfo).port}/`;
    const proxied = { proxy: `http://127.0.0.1:${await proxy.listen()}` };
    for (const options of [{}, { tls: { insecure: true } }, proxied]) {
      await assertRejects(() => websocketConnect(url, options), HandshakeError);
    }
    assertEquals(hellos.map((hello) => hello.includes("localhost")), [true, true, true]);
    target.close();
  });
});
