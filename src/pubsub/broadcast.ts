/**
 * One message to many connections, encoded once per wire format.
 *
 * @module
 */
import type { Connection } from "../server/server_connection.ts";
import { giveOutput, takeOutput } from "../connection/cork.ts";
import type { Protocol } from "../protocol/protocol.ts";

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
  /**
   * To how many subscribers it was sent. A subscriber who is so slow that the message would have
   * exceeded `maxBufferedAmount` is disconnected instead, and not counted.
   */
  readonly sent: number;
  /** How many subscribers could not be sent it: it is binary, and their version has only text. */
  readonly unsupported: number;
}

/** A message on its way to its receivers, and the count of them. */
export class Broadcast implements Published {
  sent = 0;
  unsupported = 0;
  readonly #payload: string | Uint8Array;
  #copy: Uint8Array | undefined;
  /** The formats met so far, and the frame of each: there are no more than a few. */
  readonly #formats: string[] = [];
  readonly #frames: Uint8Array[] = [];

  /** @param payload The message. */
  constructor(payload: string | Uint8Array) {
    this.#payload = payload;
  }

  /** Sends it to one of several. */
  to(connection: Connection): void {
    const { protocol } = connection;
    if (protocol === null || !this.#isFor(connection)) return;
    const { format } = protocol;
    if (format === undefined) connection.writeMessage(this.#kept());
    else connection.writeFrame(this.#frame(protocol, format));
    // If it was too much for a slow one, that is closed.
    if (connection.isOpen) this.sent++;
  }

  /** Sends it to the only one: a text that nobody shares is encoded where it goes. */
  toOne(connection: Connection): void {
    if (typeof this.#payload !== "string") return this.to(connection);
    if (!connection.isOpen) return;
    connection.writeMessage(this.#payload);
    if (connection.isOpen) this.sent++;
  }

  /** The message as it is now: nobody tells the publisher when its bytes may change. */
  #kept(): string | Uint8Array {
    if (typeof this.#payload === "string") return this.#payload;
    return this.#copy ??= this.#payload.slice();
  }

  #isFor(connection: Connection): boolean {
    if (typeof this.#payload === "string" || connection.hasBinary) return true;
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
