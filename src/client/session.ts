/**
 * One connection of a client: its opening handshake, and the established WebSocket.
 *
 * @module
 */
import { Connection } from "../connection/connection.ts";
import { CLIENT, type ConnectionEnvironment } from "../connection/connection_options.ts";
import type { ConnectionEnd } from "../connection/connection_end.ts";
import { cork, uncork } from "../connection/cork.ts";
import { type Message, toPing, toSendable } from "../connection/message.ts";
import { Traffic } from "../connection/traffic.ts";
import {
  type CompressionOptions,
  deflateParameters,
  resolveCompressorOptions,
} from "../connection/compression.ts";
import { createClientProtocol } from "../connection/create_protocol.ts";
import { Writer } from "../connection/writer.ts";
import type { Agreement, ClientHandshake } from "../handshake/client_handshake.ts";
import type { WebSocketVersion } from "../handshake/versions.ts";
import type { Protocol } from "../protocol/protocol.ts";
import type { TimingWheel } from "../timing/timing_wheel.ts";
import type { Turns } from "../timing/turns.ts";
import type { InternalTransport, Transport, TransportEvents } from "../transport/transport.ts";
import { type Opened, Opening, type OpeningEvents } from "./client_opening.ts";
import type { HandshakeError } from "./handshake_error.ts";
import { MessageQueue, type PingCallback } from "./message_queue.ts";
import type { ClientLimits } from "./client_limits.ts";

/** What a session is made of. */
export interface SessionOptions {
  /** The URL, for messages. */
  readonly href: string;
  /** The version to speak. */
  readonly version: WebSocketVersion;
  /** What is sent, and what must come. */
  readonly handshake: ClientHandshake;
  /** How to compress, if the server agrees. */
  readonly compression: CompressionOptions | undefined;
  /** The limits. */
  readonly limits: ClientLimits;
  /** The timer. */
  readonly wheel: TimingWheel;
  /** Turns of the event loop. */
  readonly turns: Turns;
  /** Called with the payload of each ping. */
  readonly onPing: PingCallback | undefined;
  /** Called with the payload of each pong. */
  readonly onPong: PingCallback | undefined;
}

/** What a client counts, which nobody asks for. */
const UNWATCHED = new Traffic();

/** One connection, from its transport to the end of it. */
export class Session implements TransportEvents, OpeningEvents {
  /** The fields of the answer. */
  headers: Headers = new Headers();
  /** The subprotocol that the server chose. */
  subprotocol: string | undefined = undefined;
  /** The output. */
  readonly writer: Writer;
  /** What was received and not read yet. */
  readonly messages: MessageQueue;

  readonly #transport: InternalTransport;
  readonly #options: SessionOptions;
  readonly #environment: ConnectionEnvironment;
  readonly #opened: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  readonly #gone: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  #opening: Opening | null;
  #connection: Connection | null = null;

  /** Sends the request. @param transport The connection. @param options What it is made of. */
  constructor(transport: Transport, options: SessionOptions) {
    const { href, handshake, limits, onPing, onPong } = options;
    this.#transport = transport;
    this.#options = options;
    this.#opening = new Opening(href, handshake, { limits, events: this });
    this.messages = new MessageQueue({
      maxQueuedSize: limits.maxQueuedSize,
      onPing,
      onPong,
      gone: () => this.#gone.resolve(),
    });
    this.#environment = {
      limits,
      traffic: UNWATCHED,
      turns: options.turns,
      wheel: options.wheel,
    };
    const unheard = { overflow: () => {}, congested: () => {}, drained: () => {} };
    this.writer = new Writer(transport, this.#environment, unheard);
    transport.events = this;
    transport.write(handshake.request, true);
  }

  /** The version that is spoken. */
  get version(): WebSocketVersion {
    return this.#options.version;
  }

  /** Resolves when it is open; rejects if it will not be. */
  get ready(): Promise<void> {
    return this.#opened.promise;
  }

  /** Resolves when the socket is gone. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** The close code that the server sent. */
  get closeCode(): number | undefined {
    return this.#connection?.closeCode;
  }

  /** The reason that the server sent. */
  get closeReason(): string {
    return this.#connection?.closeReason ?? "";
  }

  /** Why the connection ended; `undefined` before. */
  get ended(): ConnectionEnd | undefined {
    return this.#connection?.ended;
  }

  // --- The opening ------------------------------------------------------------------------------

  /** The time for the opening is up. */
  timedOut(): void {
    this.#opening?.timedOut();
  }

  /** See {@linkcode OpeningEvents.opened}. */
  opened({ head, agreement, rest }: Opened): void {
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

  /** See {@linkcode OpeningEvents.refused}. */
  refused(error: HandshakeError): void {
    this.giveUp(error);
  }

  /** Ends an opening. */
  giveUp(error: unknown): void {
    if (this.#opening === null) return;
    this.#opening = null;
    this.#opened.reject(error);
    this.#transport.destroy();
  }

  // --- Events of the transport, until the connection takes them ---------------------------------

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

  // --- What a client does -----------------------------------------------------------------------

  /** Bytes that are written and not yet taken by the system. */
  get bufferedAmount(): number {
    return this.writer.bufferedAmount;
  }

  /** See `WebSocketClientConnection.writeMessage`. */
  writeMessage(message: Message): Promise<void> {
    if (this.writer.protocol === null) toSendable(message, this.version);
    return this.writer.writeMessage(message);
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
