/**
 * The two sides of a WebSocket of a world: what each has done and seen.
 *
 * @module
 */
import type { ConnectionEnd } from "../../src/connection/connection_end.ts";

/** What the client's end has done and seen. */
export class ClientSide {
  /** The messages that were sent, in order. */
  readonly sent: string[] = [];
  /** Replies that were received, in order. */
  readonly replies: string[] = [];
  /** How often each message of the topic has come. */
  readonly heard: Map<string, number> = new Map();
  /** The number of the newest one of each publisher. */
  readonly lastHeard: Map<string, number> = new Map();
  handshake: "none" | "sent" | "open" | "refused" = "none";
  /** The status of the refusal, if there was a response. */
  status: number | undefined;
  connectedAt = 0;
  /** When it was open. */
  openedAt = 0;
  stalled = false;
  stalledAt = 0;
  wasStalled = false;
  /** Whether it has sent its close frame, FIN or a reset, or broken the protocol. */
  leaving = false;
  leftAt = 0;
  /** When it sent its last message, and the last message that certainly arrived while open. */
  sentAt = 0;
  arrivedAt = 0;
  /** When it sent its last message or ping. */
  unitAt = 0;
  /** How many messages, pings and pongs it has sent, and how many bytes, at most. */
  units = 0;
  bytes = 0;
  /** The value of `bytes` after each message, of a client that sends raw bytes. */
  readonly ends: number[] = [];
  /** The longest of these messages, in bytes. */
  longest = 0;
  /** Reads how many bytes the network has not accepted from it. */
  unsent: () => number = () => 0;
  /** Whether it has sent FIN or a reset. */
  hasEnded = false;
  /** Whether it has sent garbage. */
  hostile = false;
  /** The codes with which the server may close because of what was sent. */
  readonly violations: Set<number> = new Set();
  /** How many pings were sent, and the number in the last pong. */
  pings = 0;
  pongs = 0;
  /** When the last ping came. */
  pingedAt = 0;
  /** The code of its close frame, if it sent one by itself: 0 if it has none. */
  closeCode: number | undefined;
  /** The code of the server's close frame: 0 if it has none. */
  serverCode: number | undefined;
  /** Whether the server has sent FIN. */
  finished = false;
  /** Whether the socket is closed. */
  gone = false;
}

/** What the handler has done and seen. */
export class HandlerSide {
  /** How many messages were handled. */
  handled = 0;
  /** What it wrote, in order, topics aside. */
  readonly written: string[] = [];
  /** The topic's messages that it must get, and of which that is not checked yet. */
  readonly published: string[] = [];
  /** How much was written for the client, and the longest message, in bytes. */
  writtenBytes = 0;
  largestWrite = 0;
  /** The hook that runs now, and when the last one began. */
  active: string | undefined;
  activeAt = 0;
  /** Whether a hook never settles. */
  hangs = false;
  /** Whether it called `abort()`, which drops output on its way. */
  aborts = false;
  /** How often `open` and `onClose` were called. */
  opens = 0;
  closes = 0;
  /** How many pings it sent, and the number in the last pong. */
  pings = 0;
  pongs = 0;
  subscribed = false;
  /** How many messages are being sent in pieces. */
  sending = 0;
  /** How many promises of `writeMessage` are pending. */
  pendingWrites = 0;
  /** The close code that its own end of the connection must have sent. */
  expectedCode: number | undefined;
  /** Why the connection ended, and when. */
  ended: ConnectionEnd | undefined;
  endedAt = 0;
  /** What `closed` resolved with, and the reason of `signal`. */
  closed: ConnectionEnd | undefined;
  signalled: ConnectionEnd | undefined;
  /** Reads the handler's `bufferedAmount`. */
  buffered: () => number = () => 0;
  /** Reads how many bytes wait in the socket below a queued stream. */
  queued: () => number = () => 0;
}
