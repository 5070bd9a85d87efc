/**
 * The queue of received messages. When `maxQueuedSize` bytes wait, reading from the server stops.
 *
 * @module
 */
import type { Connection } from "../connection/connection.ts";
import type { ConnectionReceiver } from "../connection/connection_options.ts";
import type { ConnectionEnd } from "../connection/connection_end.ts";
import { corked, expectMore } from "../connection/cork.ts";
import { Inbox } from "../connection/inbox.ts";
import { ProtocolError, WebSocketClosedError } from "../errors.ts";
import { guard, toError } from "../guard.ts";

/** A callback of the application for pings or pongs. */
export type PingCallback = (payload: Uint8Array) => unknown;

/** The options of a {@linkcode MessageQueue}. */
export interface MessageQueueOptions {
  /** How many bytes may wait before reading stops. */
  readonly maxQueuedSize: number;
  /** Called with the payload of each ping. */
  readonly onPing: PingCallback | undefined;
  /** Called with the payload of each pong. */
  readonly onPong: PingCallback | undefined;
  /** Called when the connection ends. */
  readonly ended: (end: ConnectionEnd) => void;
  /** Called when the socket is closed. */
  readonly gone: () => void;
}

/** A pending call of `readMessage`. */
interface Waiter {
  readonly resolve: (message: string | Uint8Array | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** The receiver of a client's connection. */
export class MessageQueue implements ConnectionReceiver {
  /** The connection; `null` during the handshake. */
  connection: Connection | null = null;
  readonly #options: MessageQueueOptions;
  readonly #inbox = new Inbox();
  readonly #waiters: Waiter[] = [];
  /** Why the connection ended; `null` before. */
  #end: ConnectionEnd | null = null;
  /** Whether messages are dropped because this end has closed the connection. */
  #drops = false;

  /** Makes an empty queue. */
  constructor(options: MessageQueueOptions) {
    this.#options = options;
  }

  /** See `WebSocketClientConnection.readMessage`. */
  read(): Promise<string | Uint8Array | undefined> {
    const message = this.#inbox.shift();
    if (message !== undefined) {
      expectMore();
      const reader = this.connection?.reader;
      if (reader?.paused || reader?.isBehind) corked(() => this.resume());
      return Promise.resolve(message as string | Uint8Array); // this inbox has only messages
    }
    if (this.#end === null) {
      return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
    }
    const error = errorOf(this.#end);
    return error === undefined ? Promise.resolve(undefined) : Promise.reject(error);
  }

  /** Drops unread and future messages. */
  drop(): void {
    this.#drops = true;
    this.#inbox.clear();
    // Reading may have stopped because the queue was full. The peer's close frame must be read.
    this.connection?.reader.update();
  }

  // --- Events of the protocol -------------------------------------------------------------------

  /** See `Sink.text`. */
  text(message: string): boolean {
    return this.#arrived(message);
  }

  /** See `Sink.binary`. */
  binary(message: Uint8Array): boolean {
    this.connection?.reader.keep(message);
    return this.#arrived(message);
  }

  #arrived(message: string | Uint8Array): boolean {
    if (!this.#drops) {
      const waiter = this.#waiters.shift();
      if (waiter !== undefined) waiter.resolve(message);
      else {
        this.#inbox.push(message);
        expectMore();
      }
    }
    return this.#mayParse;
  }

  get #mayParse(): boolean {
    return this.connection?.reader.mayParse ?? false;
  }

  /** See `Sink.ping`. */
  ping(payload: Uint8Array): boolean {
    this.connection?.pong(payload);
    this.#call(this.#options.onPing, payload);
    return this.#mayParse;
  }

  /** See `ConnectionReceiver.pinged`. */
  pinged(): void {}

  /** See `Sink.pong`. */
  pong(payload: Uint8Array): boolean {
    this.#call(this.#options.onPong, payload);
    return this.#mayParse;
  }

  #call(callback: PingCallback | undefined, payload: Uint8Array): void {
    if (callback === undefined || !this.connection?.isOpen) return;
    guard((): unknown => callback(payload), (thrown) => {
      this.connection?.fail(new ProtocolError(1011, "internal error"), "client", toError(thrown));
    });
  }

  /** See `Sink.close`. Unread messages can still be read. */
  close(code: number | undefined, reason: string): boolean {
    this.connection?.peerClosed(code, reason);
    return false;
  }

  // --- Events of the connection -----------------------------------------------------------------

  /** See `Receiver.hasRoom`. */
  get hasRoom(): boolean {
    return this.#inbox.length === 0 || this.#inbox.size < this.#options.maxQueuedSize;
  }

  /** See `Receiver.violation`. */
  violation(error: Error): void {
    if (error instanceof ProtocolError) this.connection?.fail(error, "protocol", error);
    else this.connection?.fail(new ProtocolError(1011, "internal error"), "client", error);
  }

  /** See `ConnectionReceiver.isBehind`. Messages in the queue need not be read before the close. */
  get isBehind(): boolean {
    return false;
  }

  /** See `ConnectionReceiver.resume`. */
  resume(): void {
    this.connection?.reader.parseHeld();
    this.connection?.settle();
  }

  /** See `ConnectionReceiver.drained`. */
  drained(): void {}

  /** See `ConnectionReceiver.closing`. */
  closing(): void {}

  /** See `ConnectionReceiver.ended`. Settles the pending reads. */
  ended(end: ConnectionEnd): void {
    this.#end = end;
    this.#options.ended(end);
    const error = errorOf(end);
    for (const { resolve, reject } of this.#waiters.splice(0)) {
      if (error === undefined) resolve(undefined);
      else reject(error);
    }
  }

  /** See `ConnectionReceiver.gone`. */
  gone(): void {
    this.#options.gone();
  }
}

/** Returns the error of reads after the end; `undefined` if the connection was closed normally. */
function errorOf({ by, code, error }: ConnectionEnd): Error | undefined {
  if (by === "client" && error === undefined) return undefined;
  if (by === "peer") return undefined;
  if (error instanceof ProtocolError || by === "client") return error;
  if (by === "network") return lossError(error);
  return new WebSocketClosedError(
    `Cannot read a message: ${error?.message ?? `the connection is closed (${code})`}`,
    error === undefined ? {} : { cause: error },
  );
}

function lossError(error: Error | undefined): WebSocketClosedError {
  const because = error === undefined ? "" : `: ${error.message}`;
  return new WebSocketClosedError(
    `Cannot read a message: connection closed without a close frame (RFC 6455 §7.1.5)${because}`,
    error === undefined ? {} : { cause: error },
  );
}
