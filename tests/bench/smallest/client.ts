/**
 * The smallest WebSocket client on each runtime: it sends short texts, masked with zeros, and reads short
 * texts. It checks nothing.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import net from "node:net";
import { encodeInto } from "../../../src/protocol/text_codec.ts";
import { decodeAscii } from "../../../src/protocol/utf8.ts";

const HEADER = 6;

/** Frames that wait until the end of a chunk. Only used during a call. */
const out = new Uint8Array(256 * 1024);

/** One connection. */
class Talk {
  write: (bytes: Uint8Array) => void = () => {};
  readonly #received: (message: string) => void;
  readonly #opened: () => void;
  #isOpen = false;
  #isReading = false;
  #rest: Uint8Array | undefined;
  #length = 0;

  constructor(opened: () => void, received: (message: string) => void) {
    this.#opened = opened;
    this.#received = received;
  }

  send(text: string): void {
    const at = this.#length;
    out[at] = 0x81;
    out[at + 1] = 0x80 | text.length;
    out.fill(0, at + 2, at + HEADER);
    encodeInto(text, out, at + HEADER);
    this.#length = at + HEADER + text.length;
    if (!this.#isReading) this.#flush();
  }

  #flush(): void {
    if (this.#length > 0) this.write(out.slice(0, this.#length));
    this.#length = 0;
  }

  data(chunk: Uint8Array): void {
    if (!this.#isOpen) {
      this.#isOpen = true;
      return this.#opened();
    }
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    this.#isReading = true;
    while (at + 2 <= bytes.length && at + 2 + bytes[at + 1]! <= bytes.length) {
      const end = at + 2 + bytes[at + 1]!;
      this.#received(decodeAscii(bytes, at + 2, end));
      at = end;
    }
    this.#isReading = false;
    this.#rest = at < bytes.length ? bytes.slice(at) : undefined;
    this.#flush();
  }
}

/** Opens a connection. Returns the function that sends. */
export async function smallest(
  url: string,
  received: (message: unknown) => void,
): Promise<(text: string) => void> {
  const { hostname, port, host, pathname } = new URL(url);
  const opened = Promise.withResolvers<void>();
  const talk = new Talk(opened.resolve, received);
  await connect({ hostname, port: Number(port) }, talk);
  talk.write(Buffer.from(
    `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  ));
  await opened.promise;
  return (text) => talk.send(text);
}

function connect(address: { hostname: string; port: number }, talk: Talk): Promise<unknown> {
  if ("Bun" in globalThis) return connectWithBun(address, talk);
  if ("Deno" in globalThis) return connectWithDeno(address, talk);
  return new Promise((resolve) => {
    const socket = net.connect({ host: address.hostname, port: address.port, noDelay: true });
    socket.on("data", (chunk) => talk.data(chunk)).on("connect", resolve);
    talk.write = (bytes) => socket.write(bytes);
  });
}

async function connectWithBun(address: object, talk: Talk): Promise<void> {
  const { connect } = Reflect.get(globalThis, "Bun");
  const socket = await connect({
    ...address,
    socket: {
      data: (_: unknown, chunk: Uint8Array) => talk.data(chunk),
      // What does not fit would be lost, but the messages in flight fit.
      drain() {},
    },
  });
  talk.write = (bytes) => socket.write(bytes);
}

async function connectWithDeno(address: Deno.ConnectOptions, talk: Talk): Promise<void> {
  const conn = await Deno.connect(address);
  conn.setNoDelay(true);
  talk.write = (bytes) => void conn.write(bytes);
  void readWithDeno(conn, talk);
}

async function readWithDeno(conn: Deno.TcpConn, talk: Talk): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  for (let length; (length = await conn.read(buffer)) !== null;) {
    talk.data(buffer.subarray(0, length));
  }
}
