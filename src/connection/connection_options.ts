/**
 * The options of a connection, and the differences between a server and a client.
 *
 * @module
 */
import type { Protocol } from "../protocol/protocol.ts";
import type { TimingWheel } from "../timing/timing_wheel.ts";
import type { ConnectionEnd } from "./connection_end.ts";
import type { KeepaliveLimits } from "./keepalive.ts";
import type { Receiver } from "./reader.ts";
import type { Writer } from "./writer.ts";
import type { WriterEnvironment, WriterLimits } from "./writer_environment.ts";

/** The limits of a connection. Sizes are bytes, times milliseconds. */
export interface ConnectionLimits extends WriterLimits, KeepaliveLimits {
  /** How long to wait for the peer's close frame and FIN; 0 is no limit. */
  readonly closeTimeout: number;
}

/** The differences between the two ends of a connection. */
export interface ConnectionRole {
  /** The value of {@linkcode ConnectionEnd.by} if this end closes the connection. */
  readonly name: "server" | "client";
  /** Whether this end closes TCP first, after the closing handshake (RFC 6455 §7.1.1). */
  readonly endsFirst: boolean;
  /** Whether this end reads on while its output waits. */
  readonly readsWhileCongested: boolean;
  /** Whether messages that arrived before the peer's end are kept until they are read. */
  readonly keepsUnread: boolean;
}

/** The role of a server. */
export const SERVER: ConnectionRole = {
  name: "server",
  endsFirst: true,
  readsWhileCongested: false,
  keepsUnread: false,
};

/** The role of a client. */
export const CLIENT: ConnectionRole = {
  name: "client",
  endsFirst: false,
  readsWhileCongested: true,
  keepsUnread: true,
};

/** The receiver of a connection's messages and events. */
export interface ConnectionReceiver extends Receiver {
  /** Delivers waiting messages, since there may be room for more. */
  resume(): void;
  /** Whether messages wait to be delivered. */
  readonly isBehind: boolean;
  /** A ping was sent. */
  pinged(payload: Uint8Array): void;
  /** The system has accepted the waiting output. */
  drained(): void;
  /** The connection is closing: no message can be written any more. */
  closing(): void;
  /** The connection has ended: no message is delivered any more. */
  ended(end: ConnectionEnd): void;
  /** The socket is closed. Messages that arrived before may still be delivered. */
  gone(): void;
}

/** The object that all connections of an application share. */
export interface ConnectionEnvironment extends WriterEnvironment {
  /** The limits in force. */
  readonly limits: ConnectionLimits;
  /** The timer of all connections. */
  readonly wheel: TimingWheel;
}

/** The parts of a connection. */
export interface ConnectionOptions {
  /** Server or client. */
  readonly role: ConnectionRole;
  /** The protocol of its version. */
  readonly protocol: Protocol;
  /** The output. The handshake was written to it. */
  readonly writer: Writer;
  /** The receiver of messages. */
  readonly receiver: ConnectionReceiver;
  /** The shared object. */
  readonly environment: ConnectionEnvironment;
}
