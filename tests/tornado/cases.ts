/**
 * The cases of Tornado's own `websocket_test` about the wire, with Tornado's names. Each case has a
 * client's script and the expected result. If Tornado gives another result, `tornado` has that result
 * and the reason.
 *
 * @module
 */
import {
  type ConnectOptions,
  type WebSocketClientConnection as Connection,
  websocketConnect,
} from "../../src/client/mod.ts";
import { RawClient } from "../support/raw_client.ts";
import { latin1Bytes } from "../support/bytes.ts";
import { CountingProxy } from "./counting_proxy.ts";

/** A server that has the handlers. */
export class Site {
  readonly #port: number;

  /** @param port Its port on 127.0.0.1. */
  constructor(port: number) {
    this.#port = port;
  }

  /** Opens a connection with our own client. */
  connect(path: string, options: ConnectOptions = {}, port = this.#port): Promise<Connection> {
    return websocketConnect(`ws://127.0.0.1:${port}${path}`, options);
  }

  /** Reads a plain HTTP resource as JSON. */
  async get(path: string): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${this.#port}${path}`);
    const text = await response.text();
    return text === "" ? undefined : JSON.parse(text);
  }

  /** Sends a request head, and returns the response's head. */
  async head(path: string, fields: Readonly<Record<string, string>>): Promise<string> {
    const client = await this.#send(path, fields);
    try {
      return new TextDecoder().decode(await client.readThrough("\r\n\r\n"));
    } finally {
      await client.destroy();
    }
  }

  /** Opens a WebSocket by hand, sends bytes, and returns the given number of bytes. */
  async exchange(path: string, frame: Uint8Array, length: number): Promise<number[]> {
    const client = await this.#send(path, UPGRADE);
    try {
      await client.readThrough("\r\n\r\n");
      client.write(frame);
      return [...await client.read(length)];
    } finally {
      await client.destroy();
    }
  }

  async #send(path: string, fields: Readonly<Record<string, string>>): Promise<RawClient> {
    const client = await RawClient.connect({ port: this.#port });
    const lines = Object.entries({ Host: `127.0.0.1:${this.#port}`, ...fields })
      .map(([name, value]) => `${name}: ${value.replace("PORT", String(this.#port))}\r\n`);
    client.write(latin1Bytes(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`));
    return client;
  }

  /** A proxy that counts the bytes in each direction. */
  countingProxy(): Promise<CountingProxy> {
    return CountingProxy.start(this.#port);
  }
}

/** One case. */
export interface Case {
  /** Tornado's name, without `test_`. */
  readonly name: string;
  /** What a client does, and what it observes. */
  readonly observe: (site: Site, id: string) => Promise<unknown>;
  /** What it must observe. */
  readonly expected: unknown;
  /** The result with Tornado 6, and why it differs. */
  readonly tornado?: { readonly expected: unknown; readonly why: string };
}

const UPGRADE = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
} as const;

/** An error in a handler. Tornado closes the connection without a close frame. */
const CUT_OFF = {
  expected: { message: "WebSocketClosedError", code: undefined, errors: 1 },
  why: "Tornado aborts the connection; a close frame with 1011 tells the client what happened",
};

function statusOf(head: string): number {
  return Number(head.split(" ")[1]);
}

/** Sends messages, one after the other, and returns what comes back for each. */
async function talk(
  site: Site,
  path: string,
  messages: readonly (string | Uint8Array)[],
  options: ConnectOptions = {},
): Promise<unknown[]> {
  const connection = await site.connect(path, options);
  const replies: unknown[] = [];
  for (const message of messages) {
    connection.writeMessage(message);
    replies.push(await connection.readMessage());
  }
  await end(connection);
  return replies;
}

/** Reads `count` messages that the server sends by itself. */
async function listen(
  site: Site,
  path: string,
  { count = 1, ...options }: ConnectOptions & { readonly count?: number } = {},
): Promise<unknown[]> {
  const connection = await site.connect(path, options);
  const messages: unknown[] = [];
  for (let read = 0; read < count; read++) messages.push(await connection.readMessage());
  await end(connection);
  return messages;
}

async function end(connection: Connection): Promise<void> {
  connection.close();
  await connection.closed;
}

/** Connects, and returns the name and the status of the error. */
async function refusal(connecting: Promise<Connection>): Promise<unknown> {
  try {
    await end(await connecting);
    return "connected";
  } catch (error) {
    const { name, status } = error as { name: string; status?: number };
    return { name, status };
  }
}

/** Writes after the connection was closed, and returns the name of the error. */
async function writeAfterClose(connection: Connection): Promise<string> {
  try {
    await connection.writeMessage("hello");
    return "written";
  } catch (error) {
    return (error as Error).name;
  } finally {
    await connection.closed;
  }
}

/** What a client sees of a handler that throws. */
function failure(path: string, ...messages: string[]) {
  return async (site: Site): Promise<unknown> => {
    await site.get("/errors");
    const connection = await site.connect(path);
    for (const message of messages) connection.writeMessage(message);
    const message = await connection.readMessage().catch((error: Error) => error.name);
    await connection.closed;
    return { message, code: connection.closeCode, errors: await site.get("/errors") };
  };
}

/** A handshake from a web page; PORT stands for the server's. */
function handshakeFrom(origin: string, host?: string) {
  return async (site: Site): Promise<number> =>
    statusOf(
      await site.head("/echo", { ...UPGRADE, Origin: origin, ...host && { Host: host } }),
    );
}

const MESSAGE = "Hello world. Testing 123 123";

/** The bytes of three echoes, beyond the handshake. */
function messageSizes(path: string, options: ConnectOptions) {
  return async (site: Site): Promise<unknown> => {
    const proxy = await site.countingProxy();
    try {
      const connection = await site.connect(path, options, proxy.port);
      const before = { ...proxy.bytes };
      for (let sent = 0; sent < 3; sent++) {
        connection.writeMessage(MESSAGE);
        if (await connection.readMessage() !== MESSAGE) return "another message";
      }
      const sent = proxy.bytes.sent - before.sent;
      const received = proxy.bytes.received - before.received;
      await end(connection);
      const whole = 3 * MESSAGE.length;
      // The client's frames have a masking key of 4 bytes.
      return {
        headers: [received - whole, sent - whole].map((size) =>
          Math.sign(size) < 0 ? "less" : size
        ),
        keys: sent - received,
      };
    } finally {
      await proxy.stop();
    }
  };
}

/** A message within the limit of 1024 bytes, and one beyond it. */
function sizeLimit(path: string, options: ConnectOptions) {
  return async (site: Site): Promise<unknown> => {
    const connection = await site.connect(path, options);
    connection.writeMessage("a".repeat(128));
    const replies = [await connection.readMessage()];
    connection.writeMessage("a".repeat(2048));
    replies.push(await connection.readMessage());
    await connection.closed;
    return { replies, code: connection.closeCode };
  };
}

const COMPRESSION = { compression: { threshold: 0, contextTakeover: true } };
const LIMITED = { replies: ["128", undefined], code: 1009 };
const UNCOMPRESSED = { headers: [6, 18], keys: 12 };
const COMPRESSED = { headers: ["less", "less"], keys: 12 };

/** Masks bytes by sending them: the server's echo is the payload without the mask. */
function masked(key: string, data: string) {
  return async (site: Site): Promise<string> => {
    const payload = latin1Bytes(data);
    const frame = Uint8Array.of(0x82, 0x80 | payload.length, ...latin1Bytes(key), ...payload);
    const [, , ...echoed] = await site.exchange("/echo", frame, 2 + payload.length);
    return String.fromCharCode(...echoed);
  };
}

const MASKS: readonly (readonly [key: string, data: string, masked: string])[] = [
  ["abcd", "", ""],
  ["abcd", "b", "\x03"],
  ["abcd", "54321", "TVPVP"],
  ["ZXCV", "98765432", "c`t`olpd"],
  ["\x00\x01\x02\x03", "\xff\xfb\xfd\xfc\xfe\xfa", "\xff\xfa\xff\xff\xfe\xfb"],
  ["\xff\xfb\xfd\xfc", "\x00\x01\x02\x03\x04\x05", "\xff\xfa\xff\xff\xfb\xfe"],
];

/** All cases. */
export const CASES: readonly Case[] = [
  {
    name: "missing_websocket_key",
    observe: async (site) => {
      const { "Sec-WebSocket-Key": _, ...fields } = UPGRADE;
      return statusOf(await site.head("/echo", fields));
    },
    expected: 400,
  },
  {
    name: "bad_websocket_version",
    observe: async (site) => {
      const head = await site.head("/echo", { ...UPGRADE, "Sec-WebSocket-Version": "12" });
      const [, versions = ""] = /^Sec-WebSocket-Version: (.*)\r$/mi.exec(head) ?? [];
      return { status: statusOf(head), versions: versions.split(", ").map(Number).sort() };
    },
    expected: { status: 426, versions: [13, 7, 8] },
  },
  {
    name: "websocket_gen",
    observe: (site) => talk(site, "/echo", ["hello"]),
    expected: ["hello"],
  },
  {
    name: "websocket_callbacks",
    observe: async (site, id) => [
      await talk(site, `/echo?id=${id}`, ["hello"]),
      await site.get(`/ended?id=${id}`),
    ],
    expected: [["hello"], { code: null, reason: "" }],
  },
  {
    name: "binary_message",
    observe: (site) => talk(site, "/echo", [latin1Bytes("hello \xe9")]),
    expected: [latin1Bytes("hello \xe9")],
  },
  {
    name: "unicode_message",
    observe: (site) => talk(site, "/echo", ["hello \u00e9"]),
    expected: ["hello \u00e9"],
  },
  {
    name: "error_in_closed_client_write_message",
    observe: async (site) => {
      const connection = await site.connect("/echo");
      connection.close();
      return await writeAfterClose(connection);
    },
    expected: "WebSocketClosedError",
  },
  {
    name: "render_message",
    observe: (site) => talk(site, "/render", ["hello"]),
    expected: ["<b>hello</b>"],
  },
  {
    name: "error_in_on_message",
    observe: failure("/error_in_on_message", "hello"),
    expected: { message: undefined, code: 1011, errors: 1 },
    tornado: CUT_OFF,
  },
  {
    name: "websocket_http_fail",
    observe: (site) => refusal(site.connect("/notfound")),
    expected: { name: "HandshakeError", status: 404 },
  },
  {
    name: "websocket_http_success",
    observe: (site) => refusal(site.connect("/non_ws")),
    expected: { name: "HandshakeError", status: 404 },
    tornado: {
      expected: { name: "HandshakeError", status: 200 },
      why: "a handshake without a route never reaches the setting `fetch`",
    },
  },
  {
    name: "websocket_http_redirect",
    observe: (site) => refusal(site.connect("/redirect")),
    expected: { name: "HandshakeError", status: 404 },
    tornado: {
      expected: { name: "HandshakeError", status: 302 },
      why: "a handshake without a route never reaches the setting `fetch`",
    },
  },
  {
    name: "websocket_close_buffered_data",
    observe: async (site) => {
      await site.get("/errors");
      const connection = await site.connect("/echo");
      connection.writeMessage("hello").catch(() => {});
      connection.writeMessage("world").catch(() => {});
      connection.abort();
      return [await talk(site, "/echo", ["again"]), await site.get("/errors")];
    },
    expected: [["again"], 0],
  },
  {
    name: "websocket_headers",
    observe: (site) => listen(site, "/header", { headers: { "X-Test": "hello" } }),
    expected: ["hello"],
  },
  {
    name: "websocket_header_echo",
    observe: async (site) => {
      const connection = await site.connect("/header_echo", {
        headers: { "X-Test-Hello": "hello" },
      });
      await end(connection);
      return ["x-test-hello", "x-extra-response-header"].map((name) =>
        connection.headers.get(name)
      );
    },
    expected: ["hello", "Extra-Response-Value"],
  },
  {
    name: "server_close_reason",
    observe: async (site, id) => {
      const connection = await site.connect(`/close_reason?id=${id}`);
      const message = await connection.readMessage();
      const { code } = await site.get(`/ended?id=${id}`) as { code: number };
      return [message, connection.closeCode, connection.closeReason, code];
    },
    expected: [undefined, 1001, "goodbye", 1001],
  },
  {
    name: "client_close_reason",
    observe: async (site, id) => {
      const connection = await site.connect(`/echo?id=${id}`);
      connection.close(1001, "goodbye");
      return await site.get(`/ended?id=${id}`);
    },
    expected: { code: 1001, reason: "goodbye" },
  },
  {
    name: "write_after_close",
    observe: async (site) => {
      const connection = await site.connect("/close_reason");
      return [await connection.readMessage(), await writeAfterClose(connection)];
    },
    expected: [undefined, "WebSocketClosedError"],
  },
  {
    name: "async_prepare",
    observe: (site) => talk(site, "/async_prepare", ["hello"]),
    expected: ["prepared hello"],
  },
  {
    name: "path_args",
    observe: (site) => listen(site, "/path_args/hello"),
    expected: ["hello"],
  },
  ...["coroutine", "native_coroutine"].map((name): Case => ({
    name,
    observe: async (site) => {
      const connection = await site.connect("/coroutine");
      connection.writeMessage("hello1");
      connection.writeMessage("hello2");
      const messages = [await connection.readMessage(), await connection.readMessage()];
      await end(connection);
      return messages;
    },
    expected: ["hello1", "hello2"],
  })),
  {
    name: "check_origin_valid_no_path",
    observe: handshakeFrom("http://127.0.0.1:PORT"),
    expected: 101,
  },
  {
    name: "check_origin_valid_with_path",
    observe: handshakeFrom("http://127.0.0.1:PORT/something"),
    expected: 403,
    tornado: { expected: 101, why: "an origin has no path (RFC 6454 §6.2), so it is no browser's" },
  },
  {
    name: "check_origin_invalid_partial_url",
    observe: handshakeFrom("127.0.0.1:PORT"),
    expected: 403,
  },
  {
    name: "check_origin_invalid",
    observe: handshakeFrom("http://somewhereelse.com"),
    expected: 403,
  },
  {
    name: "check_origin_invalid_subdomains",
    observe: handshakeFrom("http://subtenant.localhost", "localhost:PORT"),
    expected: 403,
  },
  {
    name: "subprotocols",
    observe: async (site) => {
      const connection = await site.connect("/subprotocol", {
        subprotocols: ["badproto", "goodproto"],
      });
      const message = await connection.readMessage();
      await end(connection);
      return [connection.selectedSubprotocol, message];
    },
    expected: ["goodproto", "goodproto 2"],
  },
  {
    name: "subprotocols_not_offered",
    observe: (site) => listen(site, "/subprotocol"),
    expected: ["none 0"],
  },
  {
    name: "open_coroutine",
    observe: async (site, id) => {
      const connection = await site.connect(`/open_coroutine?id=${id}`);
      await connection.writeMessage("hello");
      await site.get(`/sent?id=${id}`);
      const message = await connection.readMessage();
      await end(connection);
      return message;
    },
    expected: "ok",
  },
  ...["error_in_open", "error_in_async_open"].map((name): Case => ({
    name,
    observe: failure(`/${name}`),
    expected: { message: undefined, code: 1011, errors: 1 },
    tornado: CUT_OFF,
  })),
  {
    name: "nodelay",
    observe: async (site) => {
      const connection = await site.connect("/nodelay");
      const messages = [await connection.readMessage()];
      connection.writeMessage("again");
      messages.push(await connection.readMessage());
      await end(connection);
      return messages;
    },
    expected: ["hello", "again"],
  },
  {
    name: "NoCompression message_sizes",
    observe: messageSizes("/echo", {}),
    expected: UNCOMPRESSED,
  },
  {
    name: "ServerOnlyCompression message_sizes",
    observe: messageSizes("/deflate", {}),
    expected: UNCOMPRESSED,
  },
  {
    name: "ClientOnlyCompression message_sizes",
    observe: messageSizes("/echo", COMPRESSION),
    expected: UNCOMPRESSED,
  },
  {
    name: "DefaultCompression message_sizes",
    observe: messageSizes("/deflate", COMPRESSION),
    expected: COMPRESSED,
  },
  { name: "NoCompression size_limit", observe: sizeLimit("/limited", {}), expected: LIMITED },
  {
    name: "ServerOnlyCompression size_limit",
    observe: sizeLimit("/deflate_limited", {}),
    expected: LIMITED,
  },
  {
    name: "ClientOnlyCompression size_limit",
    observe: sizeLimit("/limited", COMPRESSION),
    expected: LIMITED,
  },
  {
    name: "DefaultCompression size_limit",
    observe: sizeLimit("/deflate_limited", COMPRESSION),
    expected: LIMITED,
  },
  ...MASKS.map(([key, data, expected]): Case => ({
    name: `mask of ${data.length} bytes with ${JSON.stringify(key)}`,
    observe: masked(key, data),
    expected,
  })),
  {
    name: "server_ping",
    observe: (site) => listen(site, "/ping", { count: 3 }),
    expected: ["got pong", "got pong", "got pong"],
  },
  {
    name: "client_ping",
    observe: (site) => listen(site, "/pinged", { count: 3, pingInterval: 10 }),
    expected: [new Uint8Array(), new Uint8Array(), new Uint8Array()],
  },
  {
    name: "manual_ping",
    observe: async (site) => {
      const connection = await site.connect("/pinged");
      const observed: unknown[] = [];
      try {
        connection.ping("a".repeat(126));
      } catch (error) {
        observed.push((error as Error).name);
      }
      for (const payload of ["hello", latin1Bytes("binary hello")]) {
        connection.ping(payload);
        observed.push(await connection.readMessage());
      }
      await end(connection);
      return observed;
    },
    expected: ["RangeError", latin1Bytes("hello"), latin1Bytes("binary hello")],
  },
  {
    name: "large_message",
    observe: async (site) => {
      const connection = await site.connect("/limited");
      connection.writeMessage("a".repeat(1024));
      const reply = await connection.readMessage();
      connection.writeMessage("a".repeat(1025));
      await connection.closed;
      return [reply, connection.closeCode, connection.closeReason];
    },
    expected: [
      "1024",
      1009,
      "a message must not exceed maxMessageSize (1024 bytes) (RFC 6455 §7.4.1)",
    ],
    tornado: {
      expected: ["1024", 1009, "message too big"],
      why: "the reason names the setting",
    },
  },
];
