// A client of the runtime that runs it, or npm's ws: `script.js URL global|ws OPTIONS`. It opens, has
// each message echoed, closes, and prints what it saw as JSON.
import process from "node:process";

const [url, kind, options] = process.argv.slice(2);

/** The messages: texts as they are, binary ones as their sizes. */
const MESSAGES = ["", "Hello", "語".repeat(1000), "x".repeat(1 << 20), 0, 1, 126, 65_536, 1 << 20];

function pattern(size) {
  return Uint8Array.from({ length: size }, (_, i) => i * 7 + (i >> 8));
}

function same(data, message) {
  if (typeof message === "string") return String(data) === message;
  const bytes = new Uint8Array(data);
  return bytes.length === message && bytes.every((byte, i) => byte === (i * 7 + (i >> 8) & 0xff));
}

async function open() {
  if (kind === "global") return new WebSocket(url);
  const { WebSocket: Ws } = await import("ws");
  return new Ws(url, { perMessageDeflate: JSON.parse(options ?? "true") });
}

const socket = await open();
socket.binaryType = "arraybuffer";
const results = [];
let pong = false;
socket.onerror = (event) =>
  console.log(JSON.stringify({ error: String(event.message ?? "error") }));
socket.onopen = () => {
  if (kind === "ws") {
    socket.on("pong", (data) => pong = String(data) === "are you there");
    socket.ping("are you there");
    // In three frames.
    socket.send("one ", { fin: false });
    socket.send("two ", { fin: false });
    socket.send("three", { fin: true });
    MESSAGES.unshift("one two three");
    for (const message of MESSAGES.slice(1)) {
      socket.send(typeof message === "string" ? message : pattern(message));
    }
  } else {
    for (const message of MESSAGES) {
      socket.send(typeof message === "string" ? message : pattern(message));
    }
  }
};
socket.onmessage = ({ data }) => {
  results.push(same(data, MESSAGES[results.length]));
  // The server is asked to say goodbye.
  if (results.length === MESSAGES.length) socket.send("close me");
};
socket.onclose = ({ code, reason }) => {
  const { extensions } = socket;
  console.log(JSON.stringify({ results, code, reason, extensions, pong }));
};
