/**
 * One conversation with a server: the bytes that a client sends, and what comes of them.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { WebSocketVersion } from "../../../src/handshake/versions.ts";
import { cut, dice, join } from "../../fuzz/mutate.ts";
import { latin1Bytes } from "../../support/bytes.ts";
import { makeOpening } from "../../support/memory_client.ts";
import { RawClient } from "../../support/raw_client.ts";
import { type Frame, readFrames } from "./frames.ts";

/** What a client sends. */
export interface Conversation {
  readonly version: WebSocketVersion;
  /** Whether the client offers permessage-deflate, without context takeover of its own. */
  readonly deflate: boolean;
  /** What is sent after the handshake. */
  readonly frames: readonly Uint8Array[];
  /** The seed of the places where the bytes are split; 0 sends them whole. */
  readonly split: number;
  /** How the client ends the connection. */
  readonly end: "fin" | "reset";
}

/** What the server and its application did. */
export interface Outcome {
  /** The messages that the application got. */
  readonly messages: readonly string[];
  /** The payloads of the pongs in hexadecimal. */
  readonly pongs: readonly string[];
  /** The code of the server's close frame: 1005 if it has none, "none" without a close frame. */
  readonly sent: number | "none";
  /** The code and reason that the application was told, "nothing" if it was not told of an end. */
  readonly told: string;
  /** How the server ended the connection. */
  readonly end: "fin" | "reset" | "open";
}

/** A server, and the reports of its application. */
export interface Subject {
  readonly name: string;
  readonly port: number;
  /** The versions that it supports. */
  readonly versions: readonly WebSocketVersion[];
  /** Whether it compresses. */
  readonly compresses: boolean;
  /** Takes the reports about a path. Resolves when the application was told of the end, or is silent. */
  reports(path: string): Promise<readonly string[]>;
}

/**
 * How long a server may take to close a connection after the client's FIN, in milliseconds. Some never
 * do, and cost this time. A difference that comes from a busy machine does not come each time.
 */
const PATIENCE = 10_000;

/** The most pieces of a conversation. */
const MOST_PIECES = 8;

const OFFER = "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover";

let started = 0;

/** The pieces in which the bytes are written. */
export function piecesOf({ frames, split }: Conversation): Uint8Array[] {
  const bytes = join(frames);
  if (split === 0 || bytes.length === 0) return [bytes];
  const pieces = cut(dice(split), bytes);
  const rest = join(pieces.slice(MOST_PIECES - 1));
  return [...pieces.slice(0, MOST_PIECES - 1), ...(rest.length > 0 ? [rest] : [])];
}

/** A time in which the server reads the written bytes as a chunk of their own. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

/** Connects, and makes the handshake. Returns `undefined` if the server does not accept it. */
async function shakeHands(
  { port }: Subject,
  { version, deflate }: Conversation,
  path: string,
): Promise<RawClient | undefined> {
  const fields = deflate ? [OFFER] : [];
  const { head, key3, proof } = makeOpening(version, { host: `127.0.0.1:${port}`, path, fields });
  const client = await RawClient.connect({ port });
  client.write(join([latin1Bytes(head), key3]));
  const answer = new TextDecoder().decode(await client.readThrough("\r\n\r\n"));
  const shown = proof instanceof Uint8Array ? (await client.read(16)).join() : answer;
  const agreed = /^sec-websocket-extensions: permessage-deflate/im.test(answer);
  if (
    answer.startsWith("HTTP/1.1 101 ") && shown.includes(proof.toString()) && agreed === deflate
  ) {
    return client;
  }
  await client.destroy();
  return undefined;
}

/** Sends the frames, and reads what the server sends until its end. */
async function exchange(client: RawClient, conversation: Conversation): Promise<Uint8Array> {
  for (const piece of piecesOf(conversation)) {
    // After a reset, nothing can be sent.
    if (client.ended) break;
    client.write(piece);
    await turn();
  }
  if (conversation.end === "fin") client.end();
  else client.reset();
  try {
    return await client.readToEnd(PATIENCE);
  } catch {
    return client.unread;
  }
}

function closeCodeOf(frames: readonly Frame[]): number | "none" {
  const payload = frames.find(({ opcode }) => opcode === 8)?.payload;
  if (payload === undefined) return "none";
  const [high, low] = payload;
  return high === undefined || low === undefined ? 1005 : high * 256 + low;
}

/** What a server of draft75 or draft76 sends: only the close frame is of interest. */
function closesHixie(bytes: Uint8Array): number | "none" {
  return bytes.at(-2) === 0xff && bytes.at(-1) === 0 ? 1005 : "none";
}

/** Has a conversation with a server. */
export async function converse(subject: Subject, conversation: Conversation): Promise<Outcome> {
  const path = `/?id=${++started}`;
  const client = await shakeHands(subject, conversation, path);
  if (client === undefined) throw new Error(`${subject.name} refused a valid handshake`);
  const received = await exchange(client, conversation);
  const end = !client.ended ? "open" : client.error === undefined ? "fin" : "reset";
  await client.destroy();
  const reports = await subject.reports(path);
  const isHixie = conversation.version === "draft75" || conversation.version === "draft76";
  const frames = isHixie ? [] : readFrames(received);
  return {
    messages: reports.filter((event) => !event.startsWith("close")),
    pongs: frames.filter(({ opcode }) => opcode === 10)
      .map(({ payload }) => Buffer.from(payload).toString("hex")),
    sent: isHixie ? closesHixie(received) : closeCodeOf(frames),
    told: reports.find((event) => event.startsWith("close")) ?? "nothing",
    end,
  };
}
