/**
 * The plan of a world: its settings, clients and steps. A plan is data, so that it can be printed, and
 * shortened while it still fails.
 *
 * @module
 */
import type { ConnectionRate } from "../../src/connection/flood_control.ts";
import type { Rate } from "../../src/connection/token_bucket.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";

/** The settings of both applications. */
export interface PlanSettings {
  readonly maxMessageSize: number;
  readonly maxQueuedSize: number;
  readonly highWaterMark: number;
  readonly maxBufferedAmount: number;
  readonly pingInterval: number;
  readonly pingTimeout: number;
  readonly idleTimeout: number;
  readonly closeTimeout: number;
  readonly handshakeTimeout: number;
  readonly keepAliveTimeout: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly maxBodySize: number;
  readonly messageRate: ConnectionRate | undefined;
  readonly byteRate: ConnectionRate | undefined;
  readonly handshakeRate: Rate | undefined;
  /** Whether messages are compressed: each by itself, or with a shared window. */
  readonly compression: "none" | "each" | "window";
}

/** One client. */
export interface PlannedClient {
  /** Raw bytes of a WebSocket client, our own client, or a client of plain HTTP. */
  readonly kind: "raw" | "own" | "http";
  readonly version: WebSocketVersion;
  /** Which application it connects to. */
  readonly process: number;
  /**
   * How its connection gets there: `accept`, `handleUpgrade` or `handleStream`. The socket of a queued
   * stream accepts any number of bytes, as on Deno.
   */
  readonly arrival: "listener" | "upgrade" | "stream" | "queued stream";
  /** How much of the handshake it sends: all of it, nothing, a part, or one byte now and then. */
  readonly opening: "whole" | "silent" | "partial" | "slow";
  /** The last part of its address. */
  readonly address: number;
  /** What its handler does at the handshake and in `open()`. */
  readonly behaviour: Behaviour;
  /** How its handler reads messages: whole, or as streams of which it reads all or a part. */
  readonly reading: "whole" | "stream" | "slow stream" | "part of stream";
  /** How its bytes are split: mostly one by one, at random, not at all, or after so many bytes. */
  readonly split: "bytes" | "random" | "whole" | number;
  /** How many bytes may be in flight in each direction. */
  readonly capacity: number;
  /** Whether it never ends its connection. Then all of its messages must arrive. */
  readonly isCalm: boolean;
  /** Whether it sends before the handshake is complete. */
  readonly isEager: boolean;
  /** Whether it answers neither close frames nor FIN. */
  readonly isStubborn: boolean;
  /** Whether it offers permessage-deflate, and compresses. */
  readonly compresses: boolean;
  /** Whether chunks are overwritten after they were delivered. */
  readonly reusesChunks: boolean;
}

/** What a handler does before the first message. */
export const BEHAVIOURS = [
  "plain",
  "slow prepare",
  "slow open",
  "writes in prepare",
  "writes in open",
  "subscribes in open",
  "closes in open",
  "throws in open",
  "rejects in open",
  "refuses in prepare",
  "throws in prepare",
  "hangs in prepare",
  "hangs in prepare",
  "throws in onClose",
  "slow onClose",
  "throws in onPing",
] as const;

/** One of them. */
export type Behaviour = (typeof BEHAVIOURS)[number];

/** Those of calm clients. */
export const CALM_BEHAVIOURS = [
  "plain",
  "subscribes in open",
  "subscribes in open",
  "slow open",
  "writes in prepare",
  "writes in open",
] as const;

/** What a message asks its handler to do, and goes on. */
export const CALM_COMMANDS = [
  "echo",
  "echo",
  "unawaited",
  "slow",
  "burst",
  "timer",
  "subscribe",
  "unsubscribe",
  "publish",
  "publish",
  "ping",
  "pieces",
  "slow-pieces",
] as const;

/** All of them. */
export const COMMANDS = [
  ...CALM_COMMANDS,
  "broken-pieces",
  "throw",
  "reject",
  "hang",
  "hang",
  "close",
  "abort",
] as const;

/** One of them. */
export type Command = (typeof COMMANDS)[number];

/** What a plain HTTP request asks for, and the connection goes on. */
export const CALM_REQUESTS = ["get", "get", "echo", "echo", "slow", "stream", "unread"] as const;

/** All of them. */
export const REQUESTS = [...CALM_REQUESTS, "refuse", "throw", "hang", "cut"] as const;

/** One of them. */
export type RequestCommand = (typeof REQUESTS)[number];

/** A step of one client. */
export type ClientStep =
  | {
    readonly op: "fin" | "reset" | "stall" | "flow" | "ping";
    readonly client: number;
  }
  | {
    readonly op: "send";
    readonly client: number;
    /** The commands of the messages, which are sent at once. */
    readonly commands: readonly Command[];
    /**
     * How many characters each has besides number and command. `"limit"` fills the limit exactly, and
     * `"over"` has one byte more.
     */
    readonly size: number | "limit" | "over";
    readonly fragments: number;
    readonly binary: boolean;
  }
  | {
    readonly op: "request";
    readonly client: number;
    readonly command: RequestCommand;
    readonly size: number | "limit" | "over";
    readonly chunked: boolean;
    /** How many such requests are sent in a row. */
    readonly count: number;
  }
  | { readonly op: "close"; readonly client: number; readonly code: number }
  | { readonly op: "garbage"; readonly client: number; readonly seed: number };

/** One step. A step that makes no sense, such as sending before the handshake, does nothing. */
export type Step =
  | ClientStep
  | { readonly op: "connect"; readonly client: number }
  | { readonly op: "deliver"; readonly count: number; readonly seed: number }
  | { readonly op: "settle"; readonly seed: number }
  /** Time passes: before each timer, everything arrives, or with `hurry` only a little. */
  | { readonly op: "advance" | "hurry"; readonly time: number; readonly seed: number }
  | { readonly op: "sleep"; readonly time: number }
  | { readonly op: "publish"; readonly process: number; readonly size: number }
  | { readonly op: "partition" | "heal" | "repeat" | "shutdown"; readonly process: number };

/** A whole world. */
export interface Plan {
  readonly seed: number;
  readonly settings: PlanSettings;
  readonly clients: readonly PlannedClient[];
  readonly steps: readonly Step[];
}

/** The result of a plan. */
export interface Outcome {
  /** The invariant that does not hold; `undefined` if all hold. */
  readonly failure: string | undefined;
  /** All steps and decoded events, in order. */
  readonly trace: readonly string[];
  /** How many connections were made. */
  readonly connections: number;
  /** How long the world lasted, in simulated milliseconds. */
  readonly time: number;
}

/** How many applications there are, joined by a broker. */
export const PROCESSES = 2;

/** A step as a readable line. */
export function showStep(step: Step): string {
  const { op, ...rest } = step;
  const args = Object.entries(rest).map(([name, value]) => `${name} ${value}`);
  return [op, args.join(", ")].join(" ").trim();
}
