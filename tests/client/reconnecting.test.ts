import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { Application, WebSocketHandler } from "../../mod.ts";
import {
  HandshakeError,
  ProtocolError,
  ProxyError,
  reconnecting,
  type ReconnectOptions,
  type Retry,
  type WebSocketClientConnection,
} from "../../src/client/mod.ts";
import { FakeClock } from "../../src/testing/mod.ts";
import { memoryPair, type MemoryTransport } from "../../src/transport/memory.ts";
import { bytesOf, goodAnswer, parseRequest } from "../handshake/good_server.ts";
import { freePort } from "../support/free_port.ts";
import { FakeServer, settle } from "./fake_server.ts";

const URL = "ws://example.com/";

type Sockets = AsyncGenerator<WebSocketClientConnection, void, undefined>;

/** A client in memory, the servers that it has found, and its clock. */
class Subject {
  readonly servers: FakeServer[] = [];
  readonly clock = new FakeClock();
  readonly retries: Retry[] = [];
  readonly sockets: Sockets;

  constructor(options: ReconnectOptions = {}, url: Parameters<typeof reconnecting>[0] = URL) {
    this.sockets = reconnecting(url, {
      clock: this.clock,
      random: () => 0.5,
      pingInterval: 0,
      onRetry: (retry) => this.retries.push(retry),
      transport: () => {
        const [near, far] = memoryPair();
        this.servers.push(new FakeServer(far));
        return near;
      },
      ...options,
    });
  }

  /** The last server. */
  get server(): FakeServer {
    const server = this.servers.at(-1);
    if (server === undefined) throw new Error("The client has not connected");
    return server;
  }

  /** The waits so far, in milliseconds. */
  get delays(): number[] {
    return this.retries.map(({ delay }) => delay);
  }

  /** Takes the next step, which may fail before a test looks. */
  next(): Promise<IteratorResult<WebSocketClientConnection, void>> {
    const next = this.sockets.next();
    next.catch(() => {});
    return next;
  }

  /** How many timers are left, some time after the last connection. */
  async timers(): Promise<number> {
    await this.clock.advance(10_000);
    return this.clock.pending;
  }

  /** Takes the next step, and accepts its connection. */
  async open(): Promise<WebSocketClientConnection> {
    const next = this.sockets.next();
    await settle();
    await this.#accept();
    const { value } = await next;
    if (value === undefined) throw new Error("The loop has ended");
    return value;
  }

  /** Leaves the loop, and loses the connection. */
  async leave(): Promise<void> {
    const left = this.sockets.return();
    await settle();
    this.server.reset();
    await left;
  }

  async #accept(): Promise<void> {
    const { server } = this;
    server.write(goodAnswer("rfc6455", parseRequest(bytesOf(server.request))));
    server.speak("rfc6455");
    await settle();
  }

  /** Takes the next step after a wait, and accepts its connection. */
  async reopen(): Promise<WebSocketClientConnection> {
    const next = this.sockets.next();
    await settle();
    await this.clock.advance(this.delays.at(-1) ?? 0);
    await this.#accept();
    const { value } = await next;
    if (value === undefined) throw new Error("The loop has ended");
    return value;
  }
}

/** A response that refuses the handshake. */
function refusal(status: number, fields = ""): string {
  return `HTTP/1.1 ${status} \r\n${fields}Content-Length: 0\r\n\r\n`;
}

describe("a reconnecting client waits", () => {
  test("twice as long after each failed attempt, up to maxDelay, at random", async () => {
    const randoms = [0.5, 0, 0.999, 0.5, 0.25];
    const subject = new Subject({ maxDelay: 5_000, random: () => randoms.shift() ?? 0 });
    const next = subject.next();
    for (let attempt = 0; attempt < 5; attempt++) {
      await settle();
      subject.server.reset();
      await settle();
      await subject.clock.advance(subject.delays.at(-1) ?? 0);
    }
    assertEquals(subject.delays, [500, 0, 3996, 2500, 1250]);
    assertEquals(subject.retries.map(({ attempt }) => attempt), [1, 2, 3, 4, 5]);
    assertEquals(subject.servers.length, 6);
    await settle();
    subject.server.write(refusal(404));
    await assertRejects(() => next, HandshakeError, "404");
    assertEquals(await subject.timers(), 0);
  });

  test("after a loss too, and shortly again after a stable connection", async () => {
    const subject = new Subject({ stableAfter: 60_000 });
    await subject.open();
    for (const lasts of [0, 59_999, 60_000, 0]) {
      await subject.clock.advance(lasts);
      subject.server.reset();
      await subject.reopen();
    }
    assertEquals(subject.delays, [500, 1000, 500, 1000]);
    assertEquals(subject.retries.map(({ attempt }) => attempt), [0, 0, 0, 0]);
    assertEquals(subject.retries.map(({ ended }) => ended?.by), Array(4).fill("network"));
    await subject.leave();
  });

  test("counts how long a connection was open, not how long the body of the loop took", async () => {
    const subject = new Subject();
    await subject.open();
    subject.server.reset();
    await subject.clock.advance(100_000);
    await subject.reopen();
    subject.server.reset();
    await subject.reopen();
    assertEquals(subject.delays, [500, 1000]);
    await subject.leave();
  });

  test("as long as a refusal asks for, and a random time more", async () => {
    const subject = new Subject();
    const next = subject.next();
    const date = "Date: Sun, 06 Nov 1994 08:49:30 GMT\r\n";
    const refusals: readonly (readonly [status: number, fields: string])[] = [
      [503, "Retry-After: 120\r\n"],
      [429, `${date}Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n`],
      [503, "Retry-After: soon\r\n"],
      [500, "Retry-After: 120\r\n"],
      [503, "Retry-After: 99999999999\r\n"],
    ];
    for (const [status, fields] of refusals) {
      await settle();
      subject.server.write(refusal(status, fields));
      await settle();
      await subject.clock.advance(subject.delays.at(-1) ?? 0);
    }
    assertEquals(subject.delays, [120_500, 8_000, 2_000, 4_000, 2 ** 31 - 1]);
    subject.server.write(refusal(400));
    await assertRejects(() => next, HandshakeError, "400");
  });
});

/** Statuses, and whether the loop ends with the refusal. */
const statuses: readonly (readonly [status: number, isFinal: boolean])[] = [
  [200, false],
  [302, false],
  [400, true],
  [401, true],
  [403, true],
  [404, true],
  [408, false],
  [410, true],
  [425, false],
  [426, true],
  [429, false],
  [499, true],
  [500, false],
  [502, false],
  [503, false],
  [599, false],
];

describe("a refusal with status", () => {
  for (const [status, isFinal] of statuses) {
    test(`${status} is ${isFinal ? "final" : "tried again"}`, async () => {
      const subject = new Subject({ signal: AbortSignal.timeout(60_000) });
      const next = subject.next();
      await settle();
      subject.server.write(refusal(status));
      await settle();
      assertEquals(subject.retries.length, isFinal ? 0 : 1);
      if (isFinal) {
        const error = await assertRejects(() => next, HandshakeError);
        assertEquals([error.status, await subject.sockets.next()], [
          status,
          { done: true, value: undefined },
        ]);
      } else {
        await subject.clock.advance(subject.delays[0] ?? 0);
        subject.server.write(refusal(400));
        await assertRejects(() => next, HandshakeError);
      }
      assertEquals(await subject.timers(), 0);
    });
  }

  test("is final if isFinal says so", async () => {
    const asked: unknown[] = [];
    const isFinal = (error: unknown) => asked.push(error) === 2;
    const subject = new Subject({ isFinal });
    const next = subject.next();
    await settle();
    subject.server.write(refusal(404));
    await settle();
    await subject.clock.advance(500);
    subject.server.write(refusal(503));
    const error = await assertRejects(() => next, HandshakeError, "503");
    assertEquals([asked[1] === error, asked.length], [true, 2]);
  });

  test("is final after maxAttempts in a row", async () => {
    const subject = new Subject({ maxAttempts: 2 });
    await subject.open();
    for (const _ of [1, 2]) {
      subject.server.reset();
      await subject.reopen();
    }
    subject.server.reset();
    const next = subject.next();
    for (const _ of [1, 2]) {
      await settle();
      await subject.clock.advance(subject.delays.at(-1) ?? 0);
      subject.server.reset();
    }
    await assertRejects(() => next, HandshakeError, "before a complete response");
    assertEquals(subject.servers.length, 5);
  });

  test("of a proxy is final if the proxy refuses the credentials", async () => {
    const failing = (cause: ProxyError) => ({
      transport: () => Promise.reject(new HandshakeError("refused", { cause })),
    });
    const login = failing(new ProxyError("log in", { status: 407, refusesCredentials: true }));
    await assertRejects(() => new Subject(login).sockets.next(), HandshakeError, "refused");
    const forbidden = new Subject({ ...failing(new ProxyError("no", { status: 403 })) });
    const next = forbidden.sockets.next();
    await settle();
    assertEquals(forbidden.delays, [500]);
    next.catch(() => {});
  });
});

/** A close of the client, which the server answers. */
function closed(code: number): (server: FakeServer, client: WebSocketClientConnection) => void {
  return (server, client) => {
    client.close(code);
    server.close(code);
  };
}

/** How a connection ends, the option, and whether the loop ends with it. */
const ends: readonly (readonly [
  what: string,
  end: (server: FakeServer, client: WebSocketClientConnection) => void,
  finalCodes: readonly number[] | undefined,
  isFinal: boolean,
])[] = [
  ["1000 of the server", (server) => server.close(1000), undefined, true],
  ["1001 of the server", (server) => server.close(1001), undefined, false],
  ["1012 of the server", (server) => server.close(1012), undefined, false],
  ["a close frame without a code", (server) => server.close(), undefined, false],
  ["4001 of the server", (server) => server.close(4001), undefined, false],
  ["4001, which finalCodes has", (server) => server.close(4001), [1000, 4001], true],
  ["1000, which finalCodes has not", (server) => server.close(1000), [4001], false],
  ["a lost connection", (server) => server.reset(), undefined, false],
  ["FIN without a close frame", (server) => server.end(), undefined, false],
  ["1006, which finalCodes has", (server) => server.reset(), [1006], true],
  ["1000 of the client", closed(1000), undefined, true],
  ["4000 of the client", closed(4000), undefined, false],
  ["abort() of the client", (_, client) => client.abort(), undefined, false],
];

describe("a reconnecting client comes back after", () => {
  for (const [what, end, finalCodes, isFinal] of ends) {
    test(`${what}: ${isFinal ? "no" : "yes"}`, async () => {
      const subject = new Subject(finalCodes === undefined ? {} : { finalCodes });
      const client = await subject.open();
      end(subject.server, client);
      await settle();
      subject.server.end();
      await settle();
      if (isFinal) {
        assertEquals(await subject.sockets.next(), { done: true, value: undefined });
      } else {
        await subject.reopen();
        await subject.leave();
      }
      assertEquals(subject.retries.length, isFinal ? 0 : 1);
      assertEquals(await subject.timers(), 0);
    });
  }
});

describe("the loop of a reconnecting client", () => {
  test("has messages whose loop ends without an error, however the connection ends", async () => {
    const subject = new Subject();
    const client = await subject.open();
    subject.server.message("one");
    await settle();
    subject.server.reset();
    const messages: unknown[] = [];
    for await (const message of client) messages.push(message);
    assertEquals([messages, client.ended?.by], [["one"], "network"]);
    const broken = await subject.reopen();
    subject.server.write("\xff\xff");
    for await (const message of broken) messages.push(message);
    assertEquals([messages.length, broken.ended?.by], [1, "protocol"]);
    await assertRejects(() => broken.readMessage(), ProtocolError);
    await subject.leave();
  });

  test("waits for the end of a connection that its body has left open", async () => {
    const subject = new Subject();
    await subject.open();
    const next = subject.next();
    await subject.clock.advance(100_000);
    assertEquals(subject.servers.length, 1);
    subject.server.close(1000);
    subject.server.end();
    assertEquals((await next).done, true);
  });

  for (
    const [how, leave] of [["break", () => {}], ["an error", () => {
      throw new RangeError("mine");
    }]] as const
  ) {
    test(`closes the connection with 1000 after ${how}, and waits until it is closed`, async () => {
      const subject = new Subject();
      const opening = (async () => {
        for await (const _ of subject.sockets) {
          leave();
          break;
        }
      })();
      await settle();
      const { server } = subject;
      server.write(goodAnswer("rfc6455", parseRequest(bytesOf(server.request))));
      server.speak("rfc6455");
      await settle();
      assertEquals(server.events, ["close 1000"]);
      server.close(1000);
      server.end();
      if (how === "break") await opening;
      else await assertRejects(() => opening, RangeError, "mine");
      assertEquals([subject.servers.length, await subject.timers()], [1, 0]);
    });
  }
});

describe("the signal of a reconnecting client", () => {
  const options = () => {
    const controller = new AbortController();
    const abort = () => controller.abort(new RangeError("enough"));
    return { abort, subject: new Subject({ signal: controller.signal }) };
  };

  test("ends a wait", async () => {
    const { abort, subject } = options();
    const next = subject.next();
    await settle();
    subject.server.reset();
    await settle();
    assertEquals([subject.delays.length, subject.clock.pending], [1, 1]);
    abort();
    await assertRejects(() => next, RangeError, "enough");
    assertEquals([subject.servers.length, await subject.timers()], [1, 0]);
  });

  test("ends an attempt", async () => {
    const { abort, subject } = options();
    const next = subject.next();
    await settle();
    abort();
    await assertRejects(() => next, RangeError, "enough");
    await settle();
    assertEquals([subject.server.events, await subject.timers()], [["reset"], 0]);
  });

  test("closes an open connection with 1000", async () => {
    const { abort, subject } = options();
    const client = await subject.open();
    abort();
    await settle();
    assertEquals(subject.server.events, ["close 1000"]);
    subject.server.close(1000);
    subject.server.end();
    for await (const _ of client) throw new Error("a message after the end");
    await assertRejects(() => subject.sockets.next(), RangeError, "enough");
  });

  test("ends an attempt that waits for header fields", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const subject = new Subject({ signal, headers: () => new Promise(() => {}) });
    const next = subject.next();
    await settle();
    controller.abort(new RangeError("enough"));
    await assertRejects(() => next, RangeError, "enough");
    assertEquals(subject.servers.length, 0);
  });

  test("ends an attempt that waits for a transport, which is closed", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const made = Promise.withResolvers<MemoryTransport>();
    const subject = new Subject({ signal, transport: () => made.promise });
    const next = subject.next();
    await settle();
    controller.abort(new RangeError("enough"));
    const [near, far] = memoryPair();
    const server = new FakeServer(far);
    made.resolve(near);
    await assertRejects(() => next, RangeError, "enough");
    await settle();
    assertEquals(server.events, ["reset"]);
  });

  test("that has aborted before lets nothing begin", async () => {
    const { abort, subject } = options();
    abort();
    await assertRejects(() => subject.sockets.next(), RangeError, "enough");
    assertEquals(subject.servers.length, 0);
  });
});

describe("for each attempt, a reconnecting client asks for", () => {
  test("the URL and the header fields", async () => {
    let count = 0;
    const subject = new Subject(
      { headers: () => Promise.resolve({ Authorization: `token ${++count}` }) },
      () => `ws://example.com/${count}`,
    );
    await subject.open();
    subject.server.reset();
    await subject.reopen();
    const requests = subject.servers.map(({ request }) => request);
    assertEquals(requests.map((one) => /^authorization: (.*)$/im.exec(one)?.[1]), [
      "token 1",
      "token 2",
    ]);
    assertEquals(requests.map((one) => one.split(" ")[1]), ["/0", "/1"]);
    await subject.leave();
  });

  test("header fields, and tries again if there are none", async () => {
    let online = false;
    const subject = new Subject({
      headers: () => {
        if (!online) throw new TypeError("fetch failed");
        return { Cookie: "a=b" };
      },
    });
    const next = subject.next();
    await settle();
    assertEquals(subject.retries.map(({ attempt, error }) => [attempt, String(error)]), [
      [1, "TypeError: fetch failed"],
    ]);
    online = true;
    await subject.clock.advance(500);
    assertEquals(/^cookie: a=b$/im.test(subject.server.request), true);
    subject.server.write(refusal(400));
    await assertRejects(() => next, HandshakeError);
  });

  test("header fields, which must be valid", async () => {
    const subject = new Subject({ headers: () => ({ Upgrade: "h2c" }) });
    await assertRejects(() => subject.sockets.next(), TypeError, "the handshake itself sends it");
  });
});

const bad: readonly (readonly [options: object, type: typeof Error, says: string])[] = [
  [{ maxDelya: 5 }, TypeError, 'option "maxDelya": unknown; did you mean maxDelay?'],
  [{ maxDelay: -1 }, RangeError, "maxDelay: must be an integer from 0"],
  [{ maxAttempts: 0 }, RangeError, "maxAttempts: must be a positive integer"],
  [{ finalCodes: 1000 }, TypeError, "finalCodes: must be an array of close codes"],
  [{ finalCodes: [999] }, RangeError, "finalCodes: must be an array of close codes from 1000"],
  [{ transport: {} }, TypeError, "transport: must be a function, got an object"],
  [{ http2: {} }, TypeError, 'option "http2": unknown'],
  [{ headers: "a: b" }, TypeError, 'headers: must be an object or a function, got "a: b"'],
  [{ random: 5 }, TypeError, "random: must be a function, got 5"],
  [{ maxMessageSize: 0 }, RangeError, "maxMessageSize: must be a positive integer"],
  [{ proxy: "a" }, TypeError, 'Cannot use proxy "a"'],
];

describe("the options of a reconnecting client are checked at once", () => {
  for (const [options, type, says] of bad) {
    test(says, () => {
      assertThrows(() => reconnecting(URL, options as ReconnectOptions), type, says);
    });
  }
});

describe("a reconnecting client of a real server", () => {
  test("comes back when the server is back, with each message of its loop", async () => {
    class Echo extends WebSocketHandler {
      onMessage(message: string | Uint8Array): Promise<void> {
        return this.writeMessage(message);
      }
    }
    const app = new Application([["/", Echo]]);
    const port = await freePort();
    const listen = () => app.listen({ hostname: "127.0.0.1", port });
    let server = listen();
    await server.listening;
    const heard: unknown[] = [];
    const sockets = reconnecting(`ws://127.0.0.1:${port}/`, {
      initialDelay: 20,
      maxDelay: 20,
      // While nobody listens, and once before.
      onRetry: ({ attempt }) => {
        if (attempt === 1) server = listen();
      },
    });
    for await (const socket of sockets) {
      await socket.writeMessage(`to ${heard.length}`);
      heard.push(await socket.readMessage());
      if (heard.length === 2) break;
      await server.shutdown();
    }
    await server.shutdown();
    assertEquals(heard, ["to 0", "to 1"]);
  });
});
