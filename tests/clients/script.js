// Clients of the runtime that runs it, or of npm's ws, one after the other: `script.js CLIENTS`, in
// JSON. Each has its messages echoed and is closed by the server; then it opens again and closes by
// itself. It prints what each saw, as a line of JSON.
//
// A client has a `url`, a `kind` (`global` or `ws`), the size of the `largest` messages, which are
// sent one at a time, since some clients do not read while they write, and the `options` of ws.
import process from "node:process";

/** The messages: texts as they are, binary ones as their sizes. */
const MESSAGES = ["", "Hello", "語".repeat(1000), 0, 1, 126, 65_536];

/** Those of a client that has large ones. */
const MORE = [...MESSAGES, "x".repeat(1 << 20), 1 << 20];

function pattern(size) {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = i * 7 + (i >> 8);
  return bytes;
}

function same(data, message) {
  if (typeof message === "string") return data === message;
  const bytes = new Uint8Array(data);
  let i = 0;
  while (i < message && bytes[i] === (i * 7 + (i >> 8) & 0xff)) i++;
  return bytes.length === message && i === message;
}

async function connect({ kind, url, options }) {
  if (kind === "global") return new WebSocket(url);
  const { WebSocket: Ws } = await import("ws");
  return new Ws(url, { perMessageDeflate: options });
}

/** Resolves once it is open. */
async function open(client) {
  const socket = await connect(client);
  socket.binaryType = "arraybuffer";
  return new Promise((resolve) => {
    socket.onopen = () => resolve(socket);
    socket.onerror = ({ message }) => fail(`error: ${message}`);
  });
}

function fail(error) {
  console.log(JSON.stringify({ error }));
  process.exit(1);
}

/** Resolves to the code and the reason of its end. */
function closed(socket) {
  return new Promise((resolve) => {
    socket.onclose = ({ code, reason, wasClean }) => resolve([code, reason, wasClean]);
  });
}

/** What only ws can do: a ping, and a message in frames, which is returned. */
function sendFrames(socket, seen) {
  socket.on("pong", (data) => seen.pong = String(data));
  socket.on("ping", (data) => seen.ping = String(data));
  socket.ping("are you there");
  for (const [index, part] of ["one ", "two ", "", "three"].entries()) {
    socket.send(part, { fin: index === 3 });
  }
  return ["one two three"];
}

async function echo(client, seen) {
  const { kind, largest } = client;
  const socket = await open(client);
  const end = closed(socket);
  const send = (message) => socket.send(typeof message === "string" ? message : pattern(message));
  const sent = kind === "ws" ? sendFrames(socket, seen) : [];
  const later = largest > 0 ? ["y".repeat(largest), largest] : [];
  socket.onmessage = ({ data }) => {
    seen.echoes.push(same(data, sent[seen.echoes.length]));
    if (seen.echoes.length < sent.length) return;
    const [next] = later.splice(0, 1);
    // The server is asked to say goodbye.
    if (next === undefined) return socket.send("close me");
    sent.push(next);
    send(next);
  };
  const messages = largest > 0 ? MORE : MESSAGES;
  sent.push(...messages);
  messages.forEach(send);
  seen.closed = await end;
  seen.extensions = socket.extensions;
}

async function closeFirst(client, seen) {
  const socket = await open(client);
  const end = closed(socket);
  socket.close(4000, "that’s all");
  seen.left = await end;
}

for (const client of JSON.parse(process.argv[2])) {
  const seen = { echoes: [] };
  await echo(client, seen);
  await closeFirst(client, seen);
  console.log(JSON.stringify(seen));
}
process.exit(0);
