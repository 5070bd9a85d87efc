/**
 * The smallest WebSocket server on each runtime: what a server in JavaScript must do, and no more. It
 * checks nothing, and has no limits, timers or handlers. Usage:
 * `server.ts PORT [--deflate | --takeover] [--borrow] [--tls CERT KEY]`. With `--borrow`, the memory of a
 * message is used again for the next one.
 */
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import net from "node:net";
import process from "node:process";
import tls from "node:tls";
import { type Peer, Talk } from "./talk.ts";

const [port, ...flags] = process.argv.slice(2);
const address = { hostname: "127.0.0.1", port: Number(port) };
const [cert, key] = flags.includes("--tls")
  ? flags.slice(flags.indexOf("--tls") + 1).map((path) => readFileSync(path, "utf8"))
  : [];
const secrets = cert !== undefined && key !== undefined ? { cert, key } : undefined;

const newTalk = (peer: Peer) => new Talk(peer, flags);

function ready(): void {
  console.log("ready");
}

function serveWithBun(): void {
  const { listen } = Reflect.get(globalThis, "Bun");
  // deno-lint-ignore no-explicit-any
  type Socket = any;
  const write = (socket: Socket, bytes: Uint8Array) => {
    const { data } = socket;
    if (data.queue !== undefined) {
      data.queue = Buffer.concat([data.queue, bytes]);
      return;
    }
    const written = Math.max(socket.write(bytes), 0);
    if (written < bytes.length) data.queue = bytes.slice(written);
  };
  listen({
    ...address,
    ...(secrets !== undefined ? { tls: secrets } : {}),
    socket: {
      open(socket: Socket) {
        const peer = {
          write: (bytes: Uint8Array) => write(socket, bytes),
          end: () => socket.end(),
        };
        socket.data = { talk: newTalk(peer), queue: undefined };
      },
      data: (socket: Socket, chunk: Uint8Array) => socket.data.talk.data(chunk),
      drain(socket: Socket) {
        const { queue } = socket.data;
        socket.data.queue = undefined;
        if (queue !== undefined) write(socket, queue);
      },
      close: (socket: Socket) => socket.data.talk.closed(),
      error() {},
    },
  });
  ready();
}

function serveWithNode(): void {
  const serve = (socket: net.Socket) => {
    const talk = newTalk({ write: (bytes) => socket.write(bytes), end: () => socket.end() });
    socket.on("data", (chunk) => talk.data(chunk)).on("error", () => {});
    socket.on("close", () => talk.closed());
  };
  const server = secrets === undefined
    ? net.createServer({ noDelay: true }, serve)
    : tls.createServer({ ...secrets, noDelay: true }, serve);
  server.listen(address.port, address.hostname, ready);
}

async function serveWithDeno(): Promise<void> {
  const listener = secrets === undefined
    ? Deno.listen(address)
    : Deno.listenTls({ ...address, ...secrets });
  ready();
  for await (const conn of listener) {
    if ("setNoDelay" in conn) conn.setNoDelay(true);
    readWithDeno(conn).catch(() => {});
  }
}

async function readWithDeno(conn: Deno.TcpConn | Deno.TlsConn): Promise<void> {
  const queue: Uint8Array[] = [];
  const send = () => conn.write(queue[0]!).then(sent, () => {});
  const sent = (count: number) => {
    const rest = queue[0]!.subarray(count);
    if (rest.length > 0) queue[0] = rest;
    else queue.shift();
    if (queue.length > 0) send();
  };
  const talk = newTalk({
    write: (bytes) => queue.push(bytes) === 1 && send(),
    end: () => conn.close(),
  });
  let buffer = new Uint8Array(1024);
  for (;;) {
    const length = await conn.read(buffer);
    if (length === null) break;
    talk.data(buffer.subarray(0, length));
    if (length === buffer.length) buffer = new Uint8Array(64 * 1024);
  }
  talk.closed();
  conn.close();
}

if ("Bun" in globalThis) serveWithBun();
else if ("Deno" in globalThis) void serveWithDeno();
else serveWithNode();
