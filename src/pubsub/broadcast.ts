/**
 * Sends one message to many connections. It is encoded once for each wire format.
 *
 * @module
 */
import { giveOutput, takeOutput } from "../connection/cork.ts";
import { ignorable } from "../connection/writer.ts";
import type { Protocol } from "../protocol/protocol.ts";
import type { Turns } from "../timing/turns.ts";
import type { Position } from "./brokers/broker.ts";
import type { Subscriber } from "./subscriber.ts";

/**
 * How many subscribers of this process received a published message. A subscriber that recovers gets
 * it later, and is not counted. If a broker keeps the messages of the topic, all counts are 0:
 * subscribers of this process get the message when the broker has stored it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 * import { connect } from "@waterspout/websocket/testing";
 *
 * class Reader extends WebSocketHandler {
 *   override open(): void {
 *     this.subscribe("news");
 *   }
 *   onMessage(): void {}
 * }
 *
 * const app = new Application([["/", Reader]]);
 * await connect(app, "/");
 * await connect(app, "/", { version: "draft76" });
 * const { sent, unsupported } = app.publish("news", Uint8Array.of(1, 2, 3));
 * assertEquals({ sent, unsupported }, { sent: 1, unsupported: 1 });
 * ```
 */
export interface Published {
  /** How many subscribers it was sent to. */
  readonly sent: number;
  /**
   * How many slow subscribers were skipped because of their `whenSlow`. Those with `"latest"` get it
   * later, unless a newer message replaces it.
   */
  readonly skipped: number;
  /** How many subscribers could not get a binary message, since their version has only text. */
  readonly unsupported: number;
  /** How many subscribers were closed with 1013, since more than `maxBufferedAmount` would wait. */
  readonly disconnected: number;
  /**
   * Resolves when the publisher may publish more: mostly at once, and in the next turn of the event
   * loop after much output. It does not wait for slow subscribers. A loop that publishes must await
   * this or something else that takes a turn; otherwise no other connection is served.
   *
   * @example
   * ```ts
   * import { Application } from "@waterspout/websocket";
   *
   * const app = new Application([]);
   * for (let number = 0; number < 1000; number++) await app.publish("ticks", `${number}`).ready;
   * ```
   */
  readonly ready: Promise<void>;
  /**
   * Where the message is in the history of the topic. With a broker, it resolves when the broker has
   * stored the message, and rejects if it has not or if that is not known. If no pattern of the
   * setting `history` matches the topic, it rejects with a `TypeError`. It is safe to ignore.
   *
   * @example
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { Application } from "@waterspout/websocket";
   *
   * const app = new Application([], { history: { news: { size: 10 } } });
   * const { offset } = await app.publish("news", "Hello").position;
   * assertEquals(offset, 1);
   * ```
   */
  readonly position: Promise<Position>;
}

/** How much is published between two turns of the event loop. */
export interface Pace {
  /** Turns of the event loop. */
  readonly turns: Turns;
  /** The limits. */
  readonly limits: {
    /** The number of bytes. */
    readonly highWaterMark: number;
  };
}

/** The delivery of one message, with its counts. */
export class Broadcast implements Published {
  sent = 0;
  skipped = 0;
  unsupported = 0;
  disconnected = 0;
  readonly #topic: string;
  readonly #payload: string | Uint8Array;
  readonly #pace: Pace;
  #copy: Uint8Array | undefined;
  /** The formats used so far, and the frame of each. There are only a few. */
  readonly #formats: string[] = [];
  readonly #frames: Uint8Array[] = [];

  /** @param topic The topic. @param payload The message. @param pace The pace of publishers. */
  constructor(topic: string, payload: string | Uint8Array, pace: Pace) {
    this.#topic = topic;
    this.#payload = payload;
    this.#pace = pace;
  }

  /** See {@linkcode Published.ready}. */
  get ready(): Promise<void> {
    const { turns, limits } = this.#pace;
    return turns.wait(limits.highWaterMark);
  }

  /** See {@linkcode Published.position}. */
  get position(): Promise<Position> {
    const error = new TypeError(
      "Cannot tell the position: no pattern of the setting history matches the topic",
    );
    return ignorable(Promise.reject(error));
  }

  /** Sends the message to one of several subscribers. */
  to(subscriber: Subscriber): void {
    const { protocol } = subscriber;
    if (protocol === null || !this.#isFor(protocol) || this.#isSkipped(subscriber)) return;
    const { format } = protocol;
    if (format === undefined) subscriber.writeMessage(this.#kept());
    else subscriber.writeFrame(this.#frame(protocol, format));
    this.#count(subscriber);
  }

  /** Sends the message to the only subscriber. Its frame need not be shared. */
  toOne(subscriber: Subscriber): void {
    if (typeof this.#payload !== "string") return this.to(subscriber);
    if (subscriber.protocol === null || this.#isSkipped(subscriber)) return;
    subscriber.writeMessage(this.#payload);
    this.#count(subscriber);
  }

  /** Counts a write, which closes a subscriber if too much waits. */
  #count(subscriber: Subscriber): void {
    if (subscriber.protocol !== null) this.sent++;
    else this.disconnected++;
  }

  #isSkipped(subscriber: Subscriber): boolean {
    const policy = subscriber.policies === null ? undefined : subscriber.policies.get(this.#topic);
    if (policy === undefined) return false;
    // The recovery sends it in its turn.
    if (policy.recovery !== null) return true;
    if (policy.whenSlow === "close") return false;
    // This message is newer than the kept one.
    policy.latest = undefined;
    if (!subscriber.isSlow) return false;
    if (policy.whenSlow === "latest") policy.latest = this.#kept();
    this.skipped++;
    return true;
  }

  /** Returns a copy of the message: the publisher may change its bytes later. */
  #kept(): string | Uint8Array {
    if (typeof this.#payload === "string") return this.#payload;
    return this.#copy ??= new Uint8Array(this.#payload);
  }

  #isFor(protocol: Protocol): boolean {
    if (typeof this.#payload === "string" || protocol.hasBinary) return true;
    this.unsupported++;
    return false;
  }

  #frame(protocol: Protocol, format: string): Uint8Array {
    const frame = this.#frames[this.#formats.indexOf(format)];
    if (frame !== undefined) return frame;
    const encoded = encode(protocol, this.#payload);
    this.#formats.push(format);
    this.#frames.push(encoded);
    return encoded;
  }
}

/** The delivery of a message that has a position. */
export class StoredBroadcast extends Broadcast {
  readonly #position: Promise<Position>;

  /** @param position The position. */
  constructor(
    topic: string,
    payload: string | Uint8Array,
    { pace, position }: { readonly pace: Pace; readonly position: Promise<Position> },
  ) {
    super(topic, payload, pace);
    this.#position = position;
  }

  /** See {@linkcode Published.position}. */
  override get position(): Promise<Position> {
    return this.#position;
  }
}

function encode(protocol: Protocol, payload: string | Uint8Array): Uint8Array {
  const output = takeOutput();
  if (typeof payload === "string") protocol.writeText(output, payload);
  else protocol.writeBinary(output, payload);
  const frame = output.take();
  giveOutput(output);
  return frame;
}
