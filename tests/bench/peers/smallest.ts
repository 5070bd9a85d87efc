/**
 * The smallest WebSocket echo on each runtime: what a server in JavaScript must do, and no more. It
 * checks nothing, and has no limits, timers or handlers. Experiments compare it with a peer, to see what
 * a server can reach at all. Usage: `node|bun run|deno run -A smallest.ts PORT`
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import net from "node:net";
import process from "node:process";

/** The room for a header before a payload, so that both are written at once. A multiple of four. */
const ROOM = 12;
const OPEN = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const decode = Buffer.prototype.latin1Slice;
const encode = Buffer.prototype.latin1Write;

/** A binary message that is being received. */
interface Incoming {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly key: Uint8Array<ArrayBuffer>;
  size: number;
}

class Echo {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #end: () => void;
  #isOpen = false;
  #rest: Uint8Array | undefined;
  #incoming: Incoming | undefined;
  /** Replies of a chunk, which are written at once. */
  readonly #out = new Uint8Array(64 * 1024);

  constructor(write: (bytes: Uint8Array) => void, end: () => void) {
    this.#write = write;
    this.#end = end;
  }

  data(chunk: Uint8Array): void {
    if (!this.#isOpen) return this.#open(chunk);
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    let at = this.#incoming === undefined ? 0 : this.#fill(this.#incoming, bytes, 0);
    let length = 0;
    while (at < bytes.length) {
      const short = bytes[at + 1]! & 0x7f;
      const start = at + (short < 126 ? 6 : short === 126 ? 8 : 14);
      const isText = (bytes[at]! & 0xf) === 1;
      if (start > bytes.length || (isText && start + short > bytes.length)) {
        this.#rest = bytes.slice(at);
        break;
      }
      const key = start - 4;
      if (isText) {
        for (let i = 0; i < short; i++) bytes[start + i]! ^= bytes[key + (i & 3)]!;
        const message = decode.call(bytes, start, start + short);
        this.#out[length] = 0x81;
        this.#out[length + 1] = message.length;
        encode.call(this.#out, message, length + 2, message.length);
        length += 2 + message.length;
        at = start + short;
      } else if ((bytes[at]! & 0xf) === 8) return this.#end();
      else {
        const view = new DataView(bytes.buffer, bytes.byteOffset + at);
        const size = short < 126 ? short : short === 126 ? view.getUint16(2) : view.getUint32(6);
        const message = new Uint8Array(ROOM + size);
        this.#incoming = {
          bytes: message,
          key: new Uint8Array(bytes.subarray(key, start)),
          size: 0,
        };
        at = this.#fill(this.#incoming, bytes, start);
      }
    }
    if (length > 0) this.#write(this.#out.slice(0, length));
  }

  /** Adds a part of a binary message, and echoes it once it is complete. */
  #fill(incoming: Incoming, chunk: Uint8Array, at: number): number {
    const { bytes, key } = incoming;
    const end = Math.min(chunk.length, at + bytes.length - ROOM - incoming.size);
    bytes.set(chunk.subarray(at, end), ROOM + incoming.size);
    incoming.size += end - at;
    const size = bytes.length - ROOM;
    if (incoming.size < size) return end;
    this.#incoming = undefined;
    const [word = 0] = new Uint32Array(key.buffer);
    const words = new Uint32Array(bytes.buffer, ROOM, size >> 2);
    for (let i = 0; i < words.length; i++) words[i]! ^= word;
    for (let i = size & ~3; i < size; i++) bytes[ROOM + i]! ^= key[i & 3]!;
    const header = size < 126 ? 2 : size < 65536 ? 4 : 10;
    const view = new DataView(bytes.buffer, ROOM - header);
    view.setUint8(0, 0x82);
    view.setUint8(1, header === 2 ? size : header === 4 ? 126 : 127);
    if (header === 4) view.setUint16(2, size);
    if (header === 10) view.setUint32(6, size);
    this.#write(bytes.subarray(ROOM - header));
    return end;
  }

  #open(head: Uint8Array): void {
    const key = /sec-websocket-key: (\S+)/i.exec(Buffer.from(head).toString())?.[1];
    const accept = createHash("sha1").update(`${key}${GUID}`).digest("base64");
    this.#isOpen = true;
    this.#write(Buffer.from(`${OPEN}Sec-WebSocket-Accept: ${accept}\r\n\r\n`));
  }
}

const port = Number(process.argv[2]);
const hostname = "127.0.0.1";

function serveWithBun(): void {
  const { listen } = Reflect.get(globalThis, "Bun");
  // deno-lint-ignore no-explicit-any
  type Socket = any;
  const write = (socket: Socket, bytes: Uint8Array) => {
    if (socket.data.queue !== undefined) {
      socket.data.queue = Buffer.concat([socket.data.queue, bytes]);
      return;
    }
    const written = Math.max(socket.write(bytes), 0);
    if (written < bytes.length) socket.data.queue = bytes.slice(written);
  };
  listen({
    hostname,
    port,
    socket: {
      open(socket: Socket) {
        socket.data = new Echo((bytes) => write(socket, bytes), () => socket.end());
      },
      data: (socket: Socket, chunk: Uint8Array) => socket.data.data(chunk),
      drain(socket: Socket) {
        const { queue } = socket.data;
        socket.data.queue = undefined;
        if (queue !== undefined) write(socket, queue);
      },
      error() {},
    },
  });
}

function serveWithNode(): void {
  net.createServer({ noDelay: true }, (socket) => {
    const echo = new Echo((bytes) => socket.write(bytes), () => socket.end());
    socket.on("data", (chunk) => echo.data(chunk)).on("error", () => {});
  }).listen(port, hostname);
}

async function serveWithDeno(): Promise<void> {
  for await (const conn of Deno.listen({ hostname, port })) {
    conn.setNoDelay(true);
    readWithDeno(conn).catch(() => {});
  }
}

async function readWithDeno(conn: Deno.TcpConn): Promise<void> {
  const queue: Uint8Array[] = [];
  const send = () => conn.write(queue[0]!).then(sent, () => {});
  const sent = (count: number) => {
    const rest = queue[0]!.subarray(count);
    if (rest.length > 0) queue[0] = rest;
    else queue.shift();
    if (queue.length > 0) send();
  };
  const echo = new Echo((bytes) => queue.push(bytes) === 1 && send(), () => conn.close());
  const buffer = new Uint8Array(64 * 1024);
  for (;;) {
    const length = await conn.read(buffer);
    if (length === null) return conn.close();
    echo.data(buffer.subarray(0, length));
  }
}

if ("Bun" in globalThis) serveWithBun();
else if ("Deno" in globalThis) void serveWithDeno();
else serveWithNode();
console.log("ready");
