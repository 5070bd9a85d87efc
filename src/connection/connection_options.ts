/**
 * What a connection is made of, and what differs between its two ends.
 *
 * @module
 */
import type { Protocol } from "../protocol/protocol.ts";
import type { TimingWheel } from "../timing/timing_wheel.ts";
import type { ConnectionEnd } from "./connection_end.ts";
import type { KeepaliveLimits } from "./keepalive.ts";
import type { Receiver } from "./reader.ts";
import type { Writer, WriterEnvironment, WriterLimits } from "./writer.ts";

/** The limits of a connection. Sizes are bytes, times milliseconds. */
export interface ConnectionLimits extends WriterLimits, KeepaliveLimits {
  /** How long the peer's part of the closing handshake may take; 0 is for ever. */
  readonly closeTimeout: number;
}

/** What differs between the two ends of a connection. */
export interface ConnectionRole {
  /** How an end of this side's own is told. */
  readonly name: "server" | "client";
  /** Whether this end closes TCP first, after the closing handshake (RFC 6455 §7.1.1). */
  readonly endsFirst: boolean;
  /** Whether it goes on reading while its output waits. */
  readonly readsWhileCongested: boolean;
  /** Whether what arrived before the peer's end waits for its reader, however long that takes. */
  readonly keepsUnread: boolean;
}

/** A server's end. */
export const SERVER: ConnectionRole = {
  name: "server",
  endsFirst: true,
  readsWhileCongested: false,
  keepsUnread: false,
};

/** A client's end. */
export const CLIENT: ConnectionRole = {
  name: "client",
  endsFirst: false,
  readsWhileCongested: true,
  keepsUnread: true,
};

/** Who receives what a connection brings, and hears of its end. */
export interface ConnectionReceiver extends Receiver {
  /** Takes what waits, now that there may be room. */
  resume(): void;
  /** Whether anything waits that was read and not yet delivered. */
  readonly isBehind: boolean;
  /** Output that waited has been taken. */
  drained(): void;
  /** No message can be written any more. */
  closing(): void;
  /** Nothing is delivered any more. */
  ended(end: ConnectionEnd): void;
  /** The socket is gone; what arrived before may still be delivered. */
  gone(): void;
}

/** What many connections share: one object for all of them. */
export interface ConnectionEnvironment extends WriterEnvironment {
  /** The limits in force. */
  readonly limits: ConnectionLimits;
  /** The timer of all connections. */
  readonly wheel: TimingWheel;
}

/** What a connection is made of. */
export interface ConnectionOptions {
  /** Which end this is. */
  readonly role: ConnectionRole;
  /** The wire format. */
  readonly protocol: Protocol;
  /** The output, which the handshake was written to. */
  readonly writer: Writer;
  /** Who receives what is read. */
  readonly receiver: ConnectionReceiver;
  /** What it shares with others. */
  readonly environment: ConnectionEnvironment;
}
