/**
 * One message to many connections, encoded once per wire format.
 *
 * @module
 */
import { giveOutput, takeOutput } from "../connection/cork.ts";
import type { Protocol } from "../protocol/protocol.ts";
import type { Subscriber } from "./subscriber.ts";

/**
 * What became of a message that was published, in this process.
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
  /** To how many subscribers it was sent. */
  readonly sent: number;
  /**
   * How many subscribers were too slow and asked to be skipped then. Of those with
   * `whenSlow: "latest"`, it is sent later unless a newer message replaces it.
   */
  readonly skipped: number;
  /** How many subscribers could not be sent it: it is binary, and their version has only text. */
  readonly unsupported: number;
  /** How many subscribers were closed with 1013, since more than `maxBufferedAmount` waited. */
  readonly disconnected: number;
}

/** A message on its way to its receivers, and the count of them. */
export class Broadcast implements Published {
  sent = 0;
  skipped = 0;
  unsupported = 0;
  disconnected = 0;
  readonly #topic: string;
  readonly #payload: string | Uint8Array;
  #copy: Uint8Array | undefined;
  /** The formats met so far, and the frame of each: there are no more than a few. */
  readonly #formats: string[] = [];
  readonly #frames: Uint8Array[] = [];

  /** @param topic The topic. @param payload The message. */
  constructor(topic: string, payload: string | Uint8Array) {
    this.#topic = topic;
    this.#payload = payload;
  }

  /** Sends it to one of several. */
  to(subscriber: Subscriber): void {
    const { protocol } = subscriber;
    if (protocol === null || !this.#isFor(protocol) || this.#isSkipped(subscriber)) return;
    const { format } = protocol;
    if (format === undefined) subscriber.writeMessage(this.#kept());
    else subscriber.writeFrame(this.#frame(protocol, format));
    this.#count(subscriber);
  }

  /** Sends it to the only one: a text that nobody shares is encoded where it goes. */
  toOne(subscriber: Subscriber): void {
    if (typeof this.#payload !== "string") return this.to(subscriber);
    if (subscriber.protocol === null || this.#isSkipped(subscriber)) return;
    subscriber.writeMessage(this.#payload);
    this.#count(subscriber);
  }

  /** If it was too much for a slow one, that is closed. */
  #count(subscriber: Subscriber): void {
    if (subscriber.protocol !== null) this.sent++;
    else this.disconnected++;
  }

  #isSkipped(subscriber: Subscriber): boolean {
    const policy = subscriber.policies === null ? undefined : subscriber.policies.get(this.#topic);
    if (policy === undefined) return false;
    // This message is newer than what was kept back.
    policy.latest = undefined;
    if (!subscriber.isSlow) return false;
    if (policy.whenSlow === "latest") policy.latest = this.#kept();
    this.skipped++;
    return true;
  }

  /** The message as it is now: nobody tells the publisher when its bytes may change. */
  #kept(): string | Uint8Array {
    if (typeof this.#payload === "string") return this.#payload;
    return this.#copy ??= this.#payload.slice();
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

function encode(protocol: Protocol, payload: string | Uint8Array): Uint8Array {
  const output = takeOutput();
  if (typeof payload === "string") protocol.writeText(output, payload);
  else protocol.writeBinary(output, payload);
  const frame = output.take();
  giveOutput(output);
  return frame;
}
