/**
 * A server of messages as streams in its own process, and clients that send and read one large message.
 *
 * @module
 */
import { deflateRawSync } from "node:zlib";
import { Hybi } from "../../src/protocol/hybi.ts";
import { frame, type FrameParts } from "../protocol/hybi_frames.ts";
import { COLLECTABLE } from "../support/collect.ts";
import { MemoryClient } from "../support/memory_client.ts";
import { type Runtime, runtime as own } from "../support/runtime.ts";
import { spawnScript } from "../support/spawn.ts";

/** Bytes of a MiB. */
export const MIB: number = 2 ** 20;
/** A piece of each message. It can be compressed. */
export const PIECE: Uint8Array = Uint8Array.from({ length: 64 * 1024 }, (_, i) => (i >> 4) * 7);

/** How a message is sent. */
export interface Way {
  /** Whether it goes to the server or comes from it. */
  readonly direction: "up" | "down";
  /** Whether it is compressed. */
  readonly compressed: boolean;
  /** Its size. */
  readonly mebibytes: number;
}

/** What a server says about a message. */
export interface StreamReport {
  /** How much its memory grew after the first 16 MiB of the message, in MiB. */
  readonly grown: number;
  /** The largest memory of its process, in MiB. */
  readonly all: number;
}

const LIMITS = { maxMessageSize: Infinity, maxFragments: Infinity };
const DEFLATE = {
  sendsWithoutContext: true,
  receivesWithoutContext: true,
  sendWindowBits: 15,
  receiveWindowBits: 15,
  level: 6,
  memLevel: 8,
  threshold: 0,
};

/** A frame with a masking key of zeros, or its beginning. */
function masked(parts: Omit<FrameParts, "maskingKey">): Uint8Array {
  return frame({ ...parts, maskingKey: new Uint8Array(4) });
}

/** Sends one message: as one frame, or compressed as fragments. */
async function send(client: MemoryClient, { compressed, mebibytes }: Way): Promise<void> {
  const { transport } = client;
  const count = mebibytes * MIB / PIECE.length;
  // A deflated piece refers to nothing before it, so it can be sent again and again.
  const payload = compressed ? new Uint8Array(deflateRawSync(PIECE, { finishFlush: 2 })) : PIECE;
  const fragment = compressed ? masked({ opcode: 0, payload, fin: false }) : payload;
  const length = count * PIECE.length;
  transport.write(masked(compressed ? { opcode: 0x42, fin: false } : { opcode: 2, length }), true);
  for (let i = 0; i < count; i++) {
    transport.write(fragment, true);
    while (transport.bufferedAmount > 8 * MIB) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  if (compressed) transport.write(masked({ opcode: 0, payload: Uint8Array.of(0x00) }), true);
}

/** Reads messages in pieces until a text, which it returns. Counts the other bytes. */
function read(client: MemoryClient, compressed: boolean): Promise<{ text: string; bytes: number }> {
  const protocol = new Hybi(LIMITS, { role: "client", deflate: compressed ? DEFLATE : undefined });
  let bytes = 0;
  return new Promise((resolve, reject) => {
    const go = (): boolean => true;
    const piece = (part: string | Uint8Array): boolean => (bytes += part.length) > 0;
    const sink = {
      text: (text: string) => (resolve({ text, bytes }), true),
      binary: piece,
      ping: go,
      pong: go,
      close: (code: number | undefined) => (reject(new Error(`closed with ${code}`)), false),
      pieces: { begin() {}, piece, finish: go },
    };
    client.transport.events = {
      data: (chunk) => void protocol.receive(chunk, false, sink),
      drain() {},
      end: () => reject(new Error("the server has sent FIN")),
      closed: () => reject(new Error("the connection was closed")),
    };
  });
}

/** Sends one message through a server of its own. @throws {Error} If a byte is lost. */
export async function streamMebibytes(way: Way, runtime: Runtime = own): Promise<StreamReport> {
  const { direction, compressed, mebibytes } = way;
  const env = COLLECTABLE;
  const child = spawnScript("tests/server/scripts/streams.ts", [], { env, runtime });
  try {
    const [, port] = await child.waitFor(/^port (\d+)$/m);
    const client = await MemoryClient.connect({ port: Number(port) });
    await client.open("rfc6455", {
      host: `127.0.0.1:${port}`,
      path: direction === "up" ? "/up" : `/down?mebibytes=${mebibytes}`,
      fields: compressed ? ["Sec-WebSocket-Extensions: permessage-deflate"] : [],
    });
    const answer = read(client, compressed);
    // What arrives before `read` would go to the client's own protocol, so the server waits for this.
    if (direction === "down") client.send("now");
    else await send(client, way);
    const { text, bytes } = await answer;
    client.reset();
    const [, counted, grown, all] = /^(\d+) bytes, (\d+) MiB grown, (\d+) MiB in all$/.exec(text) ??
      [];
    const seen = direction === "up" ? Number(counted) : bytes;
    if (seen === mebibytes * MIB) return { grown: Number(grown), all: Number(all) };
    throw new Error(`${mebibytes} MiB ${direction} arrived as ${seen} bytes: ${text}`);
  } finally {
    await child.stop("SIGKILL");
  }
}
