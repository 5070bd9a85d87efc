/**
 * One connection of a client: its opening handshake, and the established WebSocket.
 *
 * @module
 */
import { Connection } from "../connection/connection.ts";
import { CLIENT, type ConnectionEnvironment } from "../connection/connection_options.ts";
import type { ConnectionEnd } from "../connection/connection_end.ts";
import { cork, uncork } from "../connection/cork.ts";
import { Lifetime } from "../connection/lifetime.ts";
import { type Message, toPing, toSendable } from "../connection/message.ts";
import { isSource, type MessageSource } from "../connection/message_source.ts";
import { OutgoingMessage } from "../connection/outgoing_message.ts";
import { Traffic } from "../connection/traffic.ts";
import {
  type CompressionOptions,
  deflateParameters,
  resolveCompressorOptions,
} from "../connection/compression.ts";
import { createClientProtocol } from "../connection/create_protocol.ts";
import { Writer } from "../connection/writer.ts";
import { ProtocolError } from "../errors.ts";
import { toError } from "../guard.ts";
import type { Agreement, ClientHandshake } from "../handshake/client_handshake.ts";
import type { WebSocketVersion } from "../handshake/versions.ts";
import type { Protocol } from "../protocol/protocol.ts";
import type { TimingWheel } from "../timing/timing_wheel.ts";
import type { Turns } from "../timing/turns.ts";
import type { InternalTransport, Transport, TransportEvents } from "../transport/transport.ts";
import { ClientOpening, type ClientOpeningEvents, type OpenedHandshake } from "./client_opening.ts";
import type { HandshakeError } from "./handshake_error.ts";
import { MessageQueue, type PingCallback } from "./message_queue.ts";
import type { ClientLimits } from "./client_limits.ts";

/** The options of a {@linkcode Session}. */
export interface SessionOptions {
  /** The URL, for error messages. */
  readonly href: string;
  /** The protocol version. */
  readonly version: WebSocketVersion;
  /** The handshake of the version, or one that is complete. */
  readonly handshake: ClientHandshake | OpenedHandshake;
  /** How to compress messages, if the server agrees. */
  readonly compression: CompressionOptions | undefined;
  /** The limits. */
  readonly limits: ClientLimits;
  /** The timers. */
  readonly wheel: TimingWheel;
  /** Turns of the event loop. */
  readonly turns: Turns;
  /** Called with the payload of each ping. */
  readonly onPing: PingCallback | undefined;
  /** Called with the payload of each pong. */
  readonly onPong: PingCallback | undefined;
}

/** The counters of all clients. They are never read. */
const UNUSED_COUNTERS = new Traffic();

/** One connection, from its handshake until its socket is closed. */
export class Session implements TransportEvents, ClientOpeningEvents {
  /** The header fields of the response. */
  headers: Headers = new Headers();
  /** The subprotocol that the server chose. */
  subprotocol: string | undefined = undefined;
  /** The output. */
  readonly writer: Writer;
  /** The messages that were received and not read. */
  readonly messages: MessageQueue;

  readonly #transport: InternalTransport;
  readonly #options: SessionOptions;
  readonly #environment: ConnectionEnvironment;
  readonly #opened: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  readonly #gone: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  /** The source of `signal` and `closed`. Created on first use. */
  #lifetime: Lifetime | null = null;
  #finished: Promise<ConnectionEnd> | null = null;
  #opening: ClientOpening | null = null;
  #connection: Connection | null = null;

  /** Sends the request. */
  constructor(transport: Transport, options: SessionOptions) {
    const { href, handshake, limits, onPing, onPong } = options;
    this.#transport = transport;
    this.#options = options;
    this.messages = new MessageQueue({
      maxQueuedSize: limits.maxQueuedSize,
      onPing,
      onPong,
      gone: () => this.#gone.resolve(),
      ended: (end) => this.#lifetime?.end(end),
    });
    this.#environment = {
      limits,
      traffic: UNUSED_COUNTERS,
      turns: options.turns,
      wheel: options.wheel,
    };
    // Until the handshake is complete, nothing is written that could cause an event.
    const noEvents = { overflow: () => {}, congested: () => {}, drained: () => {} };
    this.writer = new Writer(transport, this.#environment, noEvents);
    transport.events = this;
    if ("agreement" in handshake) {
      this.opened(handshake);
      return;
    }
    this.#opening = new ClientOpening(href, handshake, { limits, events: this });
    transport.write(handshake.request, true);
  }

  /** See `WebSocketClientConnection.version`. */
  get version(): WebSocketVersion {
    return this.#options.version;
  }

  /** Resolves when the connection is open. Rejects if the handshake fails. */
  get ready(): Promise<void> {
    return this.#opened.promise;
  }

  /** See `WebSocketClientConnection.signal`. */
  get signal(): AbortSignal {
    return (this.#lifetime ??= new Lifetime(this.ended)).signal;
  }

  /** See `WebSocketClientConnection.closed`. */
  get finished(): Promise<ConnectionEnd> {
    const { closed } = this.#lifetime ??= new Lifetime(this.ended);
    return this.#finished ??= this.#gone.promise.then(() => closed);
  }

  /** See `WebSocketClientConnection.closeCode`. */
  get closeCode(): number | undefined {
    return this.#connection?.closeCode;
  }

  /** See `WebSocketClientConnection.closeReason`. */
  get closeReason(): string {
    return this.#connection?.closeReason ?? "";
  }

  /** See `WebSocketClientConnection.ended`. */
  get ended(): ConnectionEnd | undefined {
    return this.#connection?.ended;
  }

  // --- The opening ------------------------------------------------------------------------------

  /** Called after `handshakeTimeout`. */
  timedOut(): void {
    this.#opening?.timedOut();
  }

  /** See {@linkcode ClientOpeningEvents.opened}. */
  opened({ head, agreement, rest }: OpenedHandshake): void {
    this.#opening = null;
    this.headers = head.toHeaders();
    this.subprotocol = agreement.subprotocol;
    const connection = this.#connection = new Connection(this.#transport, {
      role: CLIENT,
      protocol: this.#createProtocol(agreement),
      writer: this.writer,
      receiver: this.messages,
      environment: this.#environment,
    });
    this.messages.connection = connection;
    this.#opened.resolve();
    if (rest.length > 0) connection.reader.receive(rest, this.#transport.transfersChunks === true);
  }

  #createProtocol({ deflate }: Agreement): Protocol {
    const { version, limits, compression = {} } = this.#options;
    const parameters = deflate === undefined
      ? undefined
      : deflateParameters("client", deflate, resolveCompressorOptions(compression));
    return createClientProtocol(version, limits, parameters);
  }

  /** See {@linkcode ClientOpeningEvents.refused}. */
  refused(error: HandshakeError): void {
    this.giveUp(error);
  }

  /** Ends the handshake with an error. Does nothing if the handshake has ended. */
  giveUp(error: unknown): void {
    if (this.#opening === null) return;
    this.#opening = null;
    this.#opened.reject(error);
    this.#transport.destroy();
  }

  // --- Events of the transport during the handshake ---------------------------------------------

  /** See {@linkcode TransportEvents.data}. */
  data(chunk: Uint8Array): void {
    cork();
    try {
      this.#opening?.data(chunk);
    } finally {
      uncork();
    }
  }

  /** See {@linkcode TransportEvents.drain}. */
  drain(): void {
    this.writer.drain();
  }

  /** See {@linkcode TransportEvents.end}. */
  end(): void {
    this.#opening?.end();
  }

  /** See {@linkcode TransportEvents.closed}. */
  closed(error?: Error): void {
    this.#opening?.end(error);
    this.#gone.resolve();
  }

  // --- What a client can do ---------------------------------------------------------------------

  /** See `WebSocketClientConnection.bufferedAmount`. */
  get bufferedAmount(): number {
    return this.writer.bufferedAmount;
  }

  /** See `WebSocketClientConnection.writeMessage`. */
  writeMessage(message: Message | MessageSource): Promise<void> {
    if (typeof message !== "string" && isSource(message)) {
      return this.writer.writePieces(
        new OutgoingMessage(message, (thrown) => this.#failed(thrown)),
      );
    }
    if (this.writer.protocol === null) toSendable(message, this.version);
    return this.writer.writeMessage(message);
  }

  /** Closes the connection with 1011 after the source of a message has failed. */
  #failed(thrown: unknown): void {
    const error = new ProtocolError(1011, "internal error");
    this.#connection?.fail(error, "client", toError(thrown));
  }

  /** See `WebSocketClientConnection.ping`. */
  ping(payload: string | Uint8Array): void {
    const bytes = toPing(payload, this.version);
    this.#connection?.ping(bytes);
  }

  /** See `WebSocketClientConnection.close`. */
  close(code?: number, reason = ""): void {
    const connection = this.#connection;
    if (connection === null) return;
    connection.close(code, reason);
    if (!connection.isOpen) this.messages.drop();
  }

  /** See `WebSocketClientConnection.abort`. */
  abort(): void {
    this.#connection?.abort();
  }
}
