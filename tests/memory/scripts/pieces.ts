/**
 * Measures the memory of waiting bytes that arrived in the smallest pieces: `pieces.ts [NAME …]`. Prints a line
 * for each queue: its name, how many bytes wait in it, and how much memory it keeps after a garbage
 * collection.
 *
 * @module
 */
import process, { memoryUsage } from "node:process";
import { RefusalBody } from "../../../src/client/refusal_body.ts";
import { BodyFraming } from "../../../src/http/body_framing.ts";
import { RequestBody } from "../../../src/http/request_body.ts";
import { HeldBytes } from "../../../src/connection/held_bytes.ts";
import { Inbox } from "../../../src/connection/inbox.ts";
import { requestReader } from "../../../src/handshake/request_line.ts";
import { responseReader } from "../../../src/handshake/status_line.ts";
import { Hixie } from "../../../src/protocol/hixie.ts";
import { Hybi } from "../../../src/protocol/hybi.ts";
import type { Protocol } from "../../../src/protocol/protocol.ts";
import { type BunSocket, BunTransport } from "../../../src/transport/bun_socket.ts";
import { type DenoConn, DenoTransport } from "../../../src/transport/deno_conn.ts";
import { memoryPair } from "../../../src/transport/memory.ts";
import { NodeTransport } from "../../../src/transport/node_socket.ts";
import type { NodeSocket } from "../../../src/transport/node_types.ts";
import { ByteQueue } from "../../../src/transport/byte_queue.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { collectGarbage } from "../../support/collect.ts";
import { sized } from "../../support/sizes.ts";
import { begin, continuation, frame } from "../../protocol/hybi_frames.ts";

/** The kept objects, and how many bytes wait in them. */
interface Kept {
  readonly kept: unknown;
  readonly bytes: number;
}

const ONE = Uint8Array.of(0x61);
const PEER = { transport: "tcp", hostname: "127.0.0.1", port: 1 } as const;
const events = { data() {}, drain() {}, end() {}, closed() {} };
const sink = { text: go, binary: go, ping: go, pong: go, close: go };

function go(): boolean {
  return true;
}

/** How many of what keeps little are measured together, so that it is more than the runtime's own work. */
const COUNT = sized({ test: 12, soak: 30 });

/** Does the same for so many. */
function each<T>(count: number, make: () => { kept: T; bytes: number }): Kept {
  const all = Array.from({ length: count }, make);
  return { kept: all, bytes: all.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** Queues frames of three bytes in a transport whose peer does not read. */
function stall(transport: Transport): Kept {
  transport.events = events;
  const frame = Uint8Array.of(0x81, 1, 0x61);
  for (let i = 0; i < 100_000; i++) transport.write(frame, i % 2 === 0);
  return { kept: transport, bytes: transport.bufferedAmount };
}

/** Feeds a paused transport over `node:net` until it stops the socket. */
function holdOnNode(): { kept: unknown; bytes: number } {
  const transport = new NodeTransport({ on() {} } as unknown as NodeSocket);
  transport.events = events;
  transport.pause();
  let bytes = 1;
  while (transport.received(ONE)) bytes++;
  return { kept: transport, bytes };
}

/** Feeds a protocol bytes one by one. */
function receive(protocol: Protocol, bytes: Uint8Array, most: number): Kept {
  for (let i = 0; i < most; i++) protocol.receive(bytes.slice(i, i + 1), true, sink);
  return { kept: protocol, bytes: most };
}

function hybi(): Hybi {
  return new Hybi({ maxMessageSize: 2 ** 24, maxFragments: 2 ** 24 }, { role: "server" });
}

/** Feeds the beginning of a message in fragments of one byte. */
function fragments(opcode: 1 | 2): Kept {
  const protocol = hybi();
  protocol.receive(begin("a", opcode), true, sink);
  const bytes = 10_000;
  const fragment = continuation("a", false);
  for (let i = 1; i < bytes; i++) protocol.receive(fragment.slice(), true, sink);
  return { kept: protocol, bytes };
}

function waiting(make: (i: number) => string | Uint8Array): Kept {
  const inbox = new Inbox();
  for (let i = 0; inbox.size < 2 ** 21; i++) inbox.push(make(i));
  return { kept: inbox, bytes: inbox.size };
}

const encoder = new TextEncoder();
const limits = { maxHeaderSize: 16_384, maxHeaderCount: 100 };

/** Reads the beginning of a head byte by byte. */
function head(reader: { read(chunk: Uint8Array): unknown }, firstLine: string): Kept {
  const bytes = encoder.encode(`${firstLine}\r\nA: ${"a".repeat(10_000)}`);
  for (const byte of bytes) reader.read(Uint8Array.of(byte));
  return { kept: reader, bytes: bytes.length };
}

function refusalBody(): Kept {
  const chunked = "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n";
  const response = responseReader(limits).read(encoder.encode(chunked));
  if (response === undefined) throw new Error("The head is not whole");
  const body = new RefusalBody(response, 2 ** 20);
  const chunk = encoder.encode("1\r\na\r\n");
  const bytes = 10_000;
  for (let i = 0; i < bytes; i++) body.read(chunk);
  return { kept: body, bytes };
}

/** Adds and removes messages, so that two always wait. */
function passing(): Kept {
  const inbox = new Inbox();
  const size = 40_000;
  for (let i = 0; i < 900; i++) {
    inbox.push(new Uint8Array(size));
    if (i >= 2) inbox.shift();
  }
  return { kept: inbox, bytes: 2 * size };
}

/** Feeds a request's body in pieces that the application does not read yet. */
function requestBody(field: string, value: string, piece: string): Kept {
  const get = (name: string) => name === field ? value : undefined;
  const body = new RequestBody(new BodyFraming({ httpVersion: "1.1", get }, 2 ** 20), {
    maxQueuedSize: 2 ** 20,
    pause() {},
    resume() {},
    waiting() {},
    arrived() {},
  });
  const bytes = 10_000;
  for (let i = 0; i < bytes; i++) body.data(encoder.encode(piece), true);
  return { kept: body, bytes };
}

const rows: Readonly<Record<string, () => Kept>> = {
  "pieces in a queue": () => {
    const queue = new ByteQueue();
    for (let i = 0; i < 300_000; i++) queue.push(ONE, false);
    return { kept: queue, bytes: queue.size };
  },
  "frames that a socket of Node does not take": () =>
    stall(
      new NodeTransport({ on() {}, write() {}, writableLength: 1 } as unknown as NodeSocket),
    ),
  "frames that a socket of Bun does not take": () =>
    stall(new BunTransport({ write: () => 0 } as unknown as BunSocket, false, PEER)),
  "frames that a connection of Deno does not take": () =>
    stall(
      new DenoTransport(
        {
          read: () => new Promise(() => {}),
          write: () => new Promise(() => {}),
        } as unknown as DenoConn,
      ),
    ),
  "frames that a peer in memory does not take": () => stall(memoryPair({ capacity: 0 })[0]),
  "segments that Node reads while paused": () => each(10, holdOnNode),
  "segments of a request's head": () =>
    each(COUNT, () => head(requestReader(limits), "GET / HTTP/1.1")),
  "segments of an answer's head": () =>
    each(COUNT, () => head(responseReader(limits), "HTTP/1.1 101 x")),
  "chunks of a refusal's body": () => each(COUNT, refusalBody),
  "segments of a request's body": () =>
    each(COUNT, () => requestBody("content-length", "20000", "a")),
  "chunks of a request's body": () =>
    each(COUNT, () => requestBody("transfer-encoding", "chunked", "1\r\na\r\n")),
  "fragments of a text": () => each(COUNT, () => fragments(1)),
  "fragments of a binary message": () => each(COUNT, () => fragments(2)),
  "segments of a frame": () => {
    const bytes = frame({ opcode: 2, payload: new Uint8Array(100_000) });
    return each(COUNT, () => receive(hybi(), bytes, 10_014));
  },
  "segments of a draft76 text": () => {
    const bytes = new Uint8Array(20_000).fill(0x61);
    bytes[0] = 0;
    const hixie = () =>
      new Hixie({ maxMessageSize: 2 ** 24, maxFragments: 1 }, { version: "draft76" });
    return each(COUNT, () => receive(hixie(), bytes, 10_000));
  },
  "frames that draft76 skips": () => {
    const bytes = new Uint8Array(20_000).fill(0x01);
    const hixie = () =>
      new Hixie({ maxMessageSize: 2 ** 24, maxFragments: 1 }, { version: "draft76" });
    return each(COUNT, () => receive(hixie(), bytes, 10_000));
  },
  "chunks that a busy handler holds": () => {
    const held = new HeldBytes();
    for (let i = 0; i < 300_000; i++) held.push(ONE, false);
    return { kept: held, bytes: held.length };
  },
  "binary messages that wait": () => waiting(() => new Uint8Array(1)),
  "texts that wait": () => waiting((i) => `${i} is the number of this text`),
  "messages that are delivered while others wait": passing,
};

function used(): number {
  // On Deno, a second collection frees the memory of arrays.
  collectGarbage();
  collectGarbage();
  const { heapUsed, external } = memoryUsage();
  // Bun's heap size includes external memory.
  return "Bun" in globalThis ? heapUsed : heapUsed + external;
}

/** Waits for a turn of the event loop, so that nothing from the previous turn is on the stack. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** The objects of a row while they are measured. */
const measured: unknown[] = [];

/** How much memory the objects of a row keep, and how many bytes wait in them. */
async function measure(make: () => Kept): Promise<{ memory: number; bytes: number }> {
  await turn();
  const before = used();
  measured.push(make());
  await turn();
  const memory = used() - before;
  const { bytes } = measured.pop() as Kept;
  return { memory, bytes };
}

const chosen = process.argv.slice(2);
for (const [name, make] of Object.entries(rows)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  // The first run also allocates shared memory, and may include garbage of the row before.
  make();
  const { memory, bytes } = await measure(make);
  console.log(`${name}: ${memory} for ${bytes}`);
}
