/**
 * Messages that wait for `readMessage`. Beyond `maxQueuedSize` the connection is not read.
 *
 * @module
 */
import type { Connection } from "../connection/connection.ts";
import type { ConnectionReceiver } from "../connection/connection_options.ts";
import type { ConnectionEnd } from "../connection/connection_end.ts";
import { corked } from "../connection/cork.ts";
import { Inbox } from "../connection/inbox.ts";
import { ProtocolError, WebSocketClosedError } from "../errors.ts";
import { guard, toError } from "../guard.ts";

/** A callback of the application for pings or pongs. */
export type PingCallback = (payload: Uint8Array) => unknown;

/** What a queue is made of. */
export interface MessageQueueOptions {
  /** How much may wait, in bytes. */
  readonly maxQueuedSize: number;
  /** Called with the payload of each ping. */
  readonly onPing: PingCallback | undefined;
  /** Called with the payload of each pong. */
  readonly onPong: PingCallback | undefined;
  /** Called when the socket is gone. */
  readonly gone: () => void;
}

/** Someone who waits for a message. */
interface Waiter {
  readonly resolve: (message: string | Uint8Array | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** What a client's connection has received. */
export class MessageQueue implements ConnectionReceiver {
  /** Where the messages come from; set as soon as it is open. */
  connection: Connection | null = null;
  readonly #options: MessageQueueOptions;
  readonly #inbox = new Inbox();
  readonly #waiters: Waiter[] = [];
  /** Why nothing more will come; `null` before. */
  #end: ConnectionEnd | null = null;
  /** Whether messages are dropped, since this end has closed the connection. */
  #drops = false;

  /** @param options What the queue is made of. */
  constructor(options: MessageQueueOptions) {
    this.#options = options;
  }

  /** See `WebSocketClientConnection.readMessage`. */
  read(): Promise<string | Uint8Array | undefined> {
    const message = this.#inbox.shift();
    if (message !== undefined) {
      const reader = this.connection?.reader;
      if (reader?.paused || reader?.isBehind) corked(() => this.resume());
      return Promise.resolve(message as string | Uint8Array); // nothing else is put there
    }
    if (this.#end === null) {
      return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
    }
    const error = errorOf(this.#end);
    return error === undefined ? Promise.resolve(undefined) : Promise.reject(error);
  }

  /** Drops what was not read, and what still comes. */
  drop(): void {
    this.#drops = true;
    this.#inbox.clear();
    // The peer's closing frame may be behind what filled the queue.
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
      if (waiter === undefined) this.#inbox.push(message);
      else waiter.resolve(message);
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

  /** See `Sink.close`: what was not read stays readable. */
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
    const told = error instanceof ProtocolError ? error : new ProtocolError(1011, "internal error");
    this.connection?.fail(told, told === error ? "protocol" : "client", error);
  }

  /** See `ConnectionReceiver.isBehind`: what waits here outlives the connection. */
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

  /** See `ConnectionReceiver.ended`: those who wait hear of it now, the others behind what waits. */
  ended(end: ConnectionEnd): void {
    this.#end = end;
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

/** What readers are told of an end; `undefined` if it was in good order. */
function errorOf({ by, code, error }: ConnectionEnd): Error | undefined {
  if (by === "client" && error === undefined) return undefined;
  if (by === "peer") return undefined;
  if (error instanceof ProtocolError || by === "client") return error;
  if (by === "network") return lossError(error);
  return new WebSocketClosedError(
    `Cannot read a message: ${error?.message ?? `the connection ended (${code})`}`,
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
