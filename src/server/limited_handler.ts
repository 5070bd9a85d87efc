/**
 * The limits of a handler, which its class can override.
 *
 * @module
 */
import type { ConnectionRate } from "../connection/flood_control.ts";
import type { HandlerLimits } from "./handler_limits.ts";
import { type AnyParams, RequestHandler } from "./request_handler.ts";

/**
 * The base class of {@linkcode WebSocketHandler} with the limits. Override a getter to change a limit.
 * Its default is the setting of the same name. The getters are read once, after {@linkcode prepare}. If
 * a value is out of range, the handshake is refused with 500. Do not extend this class: extend
 * {@linkcode WebSocketHandler} instead.
 *
 * @typeParam Options The type of the route's options.
 * @typeParam Params The named parts of the route's pattern.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { WebSocketHandler } from "@waterspout/websocket";
 *
 * class Upload extends WebSocketHandler {
 *   override get maxMessageSize(): number {
 *     return 64 * 1024 * 1024;
 *   }
 *   override get idleTimeout(): number {
 *     return 60_000;
 *   }
 *   onMessage(): void {}
 * }
 * assert(Upload.name === "Upload");
 * ```
 */
export abstract class LimitedHandler<Options = unknown, Params extends object = AnyParams>
  extends RequestHandler<Options, Params>
  implements HandlerLimits {
  /**
   * The largest message, decompressed, in bytes. A larger one closes with 1009 (Tornado's
   * `max_message_size`). Default: the setting.
   */
  get maxMessageSize(): number {
    return this.application.settings.maxMessageSize;
  }

  /** The most frames in a message. More close with 1009. Default: the setting. */
  get maxFragments(): number {
    return this.application.settings.maxFragments;
  }

  /** The largest payload of one frame, in bytes. A larger one closes with 1009. Default: the setting. */
  get maxFragmentSize(): number {
    return this.application.settings.maxFragmentSize;
  }

  /**
   * How much received data may wait for this handler before reading stops, in bytes. Default: the
   * setting.
   */
  get maxQueuedSize(): number {
    return this.application.settings.maxQueuedSize;
  }

  /**
   * Whether a binary message is valid only until {@linkcode onMessage} returns or its promise settles.
   * Then its memory is used for messages of other connections too, so the garbage collector has less to
   * do. A handler that keeps a message must copy it, and must not read beyond it in its `buffer`. Methods of this package copy what they keep, so a message can be passed
   * to {@linkcode writeMessage} or {@linkcode publish}. The setting `poisonBorrowed` finds mistakes. Does
   * not apply to {@linkcode onMessageStream}. Default: the setting, which is `false`.
   *
   * @example
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { Application, WebSocketHandler } from "@waterspout/websocket";
   * import { connect } from "@waterspout/websocket/testing";
   *
   * const kept: Uint8Array[] = [];
   * class Echo extends WebSocketHandler {
   *   override get borrowMessages(): boolean {
   *     return true;
   *   }
   *   onMessage(message: string | Uint8Array): void {
   *     this.writeMessage(message);
   *     if (typeof message !== "string") kept.push(message); // A mistake: it is not copied.
   *   }
   * }
   *
   * const client = await connect(new Application([["/", Echo]], { poisonBorrowed: true }), "/");
   * client.writeMessage(Uint8Array.of(1, 2));
   * assertEquals(await client.readMessage(), Uint8Array.of(1, 2));
   * assertEquals(kept, [Uint8Array.of(0xdb, 0xdb)]);
   * ```
   */
  get borrowMessages(): boolean {
    return this.application.settings.borrowMessages;
  }

  /**
   * The promises of {@linkcode writeMessage} stay pending while more output than this waits, in bytes.
   * Default: the setting.
   */
  get highWaterMark(): number {
    return this.application.settings.highWaterMark;
  }

  /**
   * How much output may wait for the client, in bytes. More closes with 1013. Default: the setting.
   */
  get maxBufferedAmount(): number {
    return this.application.settings.maxBufferedAmount;
  }

  /**
   * The time between pings, in milliseconds; 0 is off (Tornado's `ping_interval`). Default: the setting.
   */
  get pingInterval(): number {
    return this.application.settings.pingInterval;
  }

  /**
   * How long to wait for data after a ping, in milliseconds (Tornado's `ping_timeout`). Default: the
   * setting.
   */
  get pingTimeout(): number {
    return this.application.settings.pingTimeout;
  }

  /** How long the client may send no message, in milliseconds; 0 is off. Default: the setting. */
  get idleTimeout(): number {
    return this.application.settings.idleTimeout;
  }

  /** How fast the client may send messages, pings and pongs. Default: the setting. */
  get messageRate(): ConnectionRate | undefined {
    return this.application.settings.messageRate;
  }

  /** How fast the client may send bytes. Default: the setting. */
  get byteRate(): ConnectionRate | undefined {
    return this.application.settings.byteRate;
  }

  /**
   * How long to wait for the client's part of the closing handshake, in milliseconds. Default: the
   * setting.
   */
  get closeTimeout(): number {
    return this.application.settings.closeTimeout;
  }
}
