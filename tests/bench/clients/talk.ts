/**
 * A client that keeps messages in flight on some connections, and checks each reply:
 * `talk.ts KIND URL CONNECTIONS IN_FLIGHT SIZE WARM_UP SECONDS SERVER_PID`. KIND is `ours`, `http2`
 * (our client on streams of one session), `ws`, `native` (the WebSocket of the runtime), or `smallest`.
 * Prints one line of JSON with the CPU time of this process and of the server.
 */
import { readFileSync } from "node:fs";
import { type ClientHttp2Session, connect } from "node:http2";
import process from "node:process";
import { websocketConnect } from "../../../src/client/mod.ts";
import { smallest } from "../smallest/client.ts";

/** Opens a connection. Returns the function that sends. */
type Open = (url: string, received: (message: unknown) => void) => Promise<(text: string) => void>;

function closed(): never {
  throw new Error("Cannot go on: the server closed a connection");
}

async function ours(
  url: string,
  received: (message: unknown) => void,
  http2?: ClientHttp2Session,
): Promise<(text: string) => void> {
  const connection = await websocketConnect(
    url,
    http2 !== undefined ? { http2 } : url.startsWith("wss") ? { tls: { insecure: true } } : {},
  );
  const read = async (): Promise<never> => {
    for (let message; (message = await connection.readMessage()) !== undefined;) received(message);
    closed();
  };
  void read();
  return (text) => void connection.writeMessage(text);
}

/** Streams of one session. */
function onOneSession(url: string): Open {
  const session = connect(url.replace(/^wss/, "https"), { rejectUnauthorized: false });
  return (url, received) => ours(url, received, session);
}

function native(
  url: string,
  received: (message: unknown) => void,
): Promise<(text: string) => void> {
  const socket = new WebSocket(url);
  socket.onmessage = ({ data }) => received(data);
  socket.onclose = closed;
  return new Promise((resolve) => {
    socket.onopen = () => resolve((text) => socket.send(text));
  });
}

async function ws(
  url: string,
  received: (message: unknown) => void,
): Promise<(text: string) => void> {
  const { WebSocket } = await import("ws");
  const socket = new WebSocket(url, { perMessageDeflate: false });
  // ws delivers text as bytes. Converted here, because applications need a string.
  socket.on("message", (data: Uint8Array) => received(data.toString()));
  socket.on("close", closed);
  await new Promise((resolve) => socket.on("open", resolve));
  return (text) => socket.send(text);
}

/** The CPU time of a process in microseconds: fields 14 and 15 of its `stat`, in ticks of 10 ms. */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

function ownCpu(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

const [kind = "", url = "", ...numbers] = process.argv.slice(2);
const [count = 1, inFlight = 1, size = 32, warmUp = 1, seconds = 1, pid = 0] = numbers.map(Number);
const opens: Readonly<Record<string, () => Open>> = {
  ours: () => ours,
  http2: () => onOneSession(url),
  ws: () => ws,
  native: () => native,
  smallest: () => smallest,
};
const open = opens[kind]?.();
if (open === undefined) {
  throw new TypeError(`Cannot use client ${kind}: not one of ${Object.keys(opens).join(", ")}`);
}

/** The messages differ in their first letter, so that replies out of order are found. */
const messages = Array.from(
  { length: 26 },
  (_, i) => String.fromCharCode(65 + i) + "x".repeat(size - 1),
);
let replies = 0;
let bad = 0;

async function start(open: Open): Promise<void> {
  let sent = 0;
  let seen = 0;
  const sendNext = () => send(messages[sent++ % messages.length] ?? "");
  const send = await open(url, (message) => {
    if (message !== messages[seen++ % messages.length]) bad++;
    replies++;
    sendNext();
  });
  for (let i = 0; i < inFlight; i++) sendNext();
}

const wait = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
await Promise.all(Array.from({ length: count }, () => start(open)));
await wait(warmUp);
const before = { replies, own: ownCpu(), server: cpuOf(pid), at: performance.now() };
await wait(seconds);
const done = replies - before.replies;
console.log(JSON.stringify({
  perSecond: done * 1000 / (performance.now() - before.at),
  ownCpu: (ownCpu() - before.own) / done,
  serverCpu: (cpuOf(pid) - before.server) / done,
  memory: process.memoryUsage().rss,
  bad,
}));
process.exit(bad > 0 || done === 0 ? 1 : 0);
