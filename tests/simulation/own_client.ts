/**
 * A client of a world that is our own: `websocketConnect`, on a simulated network.
 *
 * @module
 */
import { WebSocketClientConnection } from "../../src/client/client_connection.ts";
import { openSession } from "../../src/client/websocket_connect.ts";
import type { MemoryTransport } from "../../src/transport/memory.ts";
import { compresses, countSent, nextText, noteSent } from "./client.ts";
import { COMMON_LEVEL, encode } from "./frames.ts";
import type { Guest, GuestOptions } from "./guest.ts";
import type { Member } from "./member.ts";
import type { ClientStep } from "./plan.ts";

const decoder = new TextDecoder();

/** The size of the frame of a short message, at most, in bytes. */
const OVERHEAD = 14;

/** The pieces of a message. */
async function* piecesOf<Piece>(pieces: readonly Piece[]): AsyncGenerator<Piece> {
  yield* pieces;
}

/** One client. */
export class OwnClient implements Guest {
  readonly #member: Member;
  readonly #options: GuestOptions;
  #connection: WebSocketClientConnection | undefined;

  /** Connects. */
  constructor(member: Member, transport: MemoryTransport, options: GuestOptions) {
    this.#member = member;
    this.#options = options;
    member.client.handshake = "sent";
    void this.#open(transport);
  }

  async #open(transport: MemoryTransport): Promise<void> {
    const { client, name, version, plan } = this.#member;
    const { clock, settings } = this.#options;
    const { highWaterMark, closeTimeout, maxQueuedSize } = settings;
    const contextTakeover = settings.compression === "window";
    const folder = plan.reading === "whole" ? "c" : "s";
    try {
      const session = await openSession(`ws://localhost/${folder}/${name}`, {
        transport,
        clock,
        version,
        highWaterMark,
        closeTimeout,
        maxQueuedSize,
        handshakeTimeout: 0,
        pingInterval: 0,
        onPing: () => this.#pinged(),
        onPong: (payload) => void (client.pongs = Number(decoder.decode(payload))),
        ...(compresses(this.#member, settings)
          ? { compression: { level: COMMON_LEVEL, threshold: 10, contextTakeover } }
          : {}),
      });
      this.#opened(new WebSocketClientConnection(session));
    } catch (error) {
      const { status } = error as { readonly status?: number };
      this.#member.note(`is refused with ${status}`);
      client.handshake = "refused";
      client.gone = true;
      this.#member.refused(status, settings);
    }
  }

  #opened(connection: WebSocketClientConnection): void {
    const { client } = this.#member;
    this.#connection = connection;
    this.#member.note("is open");
    client.handshake = "open";
    client.openedAt = client.pingedAt = this.#options.clock.now();
    void this.#read(connection);
    void this.#watch(connection);
  }

  #pinged(): void {
    const { client } = this.#member;
    client.pingedAt = client.unitAt = this.#options.clock.now();
    countSent(this.#member, { units: 1, bytes: OVERHEAD + 125 }, this.#options.settings);
  }

  async #read(connection: WebSocketClientConnection): Promise<void> {
    try {
      for await (const message of connection) {
        this.#member.receive(typeof message === "string" ? message : decoder.decode(message));
      }
      this.#member.note("has read all");
    } catch (error) {
      this.#member.note(`cannot read: ${error instanceof Error ? error.message : error}`);
    }
  }

  async #watch(connection: WebSocketClientConnection): Promise<void> {
    const { client } = this.#member;
    connection.signal.addEventListener("abort", () => client.finished = true);
    const { by, code } = await connection.closed;
    this.#member.note(`is gone by ${by} with ${code}`);
    client.finished = client.gone = true;
    if (by === "peer") client.serverCode = code === 1005 ? 0 : code;
  }

  #leaves(): void {
    const { client, causes } = this.#member;
    causes.add("timeout");
    if (!client.leaving) client.leftAt = this.#options.clock.now();
    client.leaving = true;
  }

  /** See {@linkcode Guest.act}. */
  act(step: ClientStep): void {
    const { client, causes, isHybi, version } = this.#member;
    const connection = this.#connection;
    if (connection === undefined || connection.ended !== undefined || client.leaving) return;
    if (step.op === "send") this.#send(connection, step);
    else if (step.op === "ping" && isHybi) this.#ping(connection);
    else if (step.op === "close") {
      // After closeTimeout, it drops the connection.
      causes.add("peer").add("network");
      client.closeCode = step.code;
      if (version === "draft75") client.hasEnded = true;
      this.#leaves();
      connection.close(step.code === 0 ? undefined : step.code);
    } else if (step.op === "fin" || step.op === "reset" || step.op === "garbage") {
      causes.add("network");
      client.hasEnded = true;
      this.#leaves();
      connection.abort();
    }
  }

  #ping(connection: WebSocketClientConnection): void {
    const { client } = this.#member;
    client.pings++;
    client.unitAt = this.#options.clock.now();
    countSent(this.#member, { units: 1, bytes: OVERHEAD + 8 }, this.#options.settings);
    connection.ping(`${client.pings}`);
  }

  #send(
    connection: WebSocketClientConnection,
    step: ClientStep & { readonly op: "send" },
  ): void {
    const { client, isHybi } = this.#member;
    const { settings } = this.#options;
    const { commands, size, fragments, binary } = step;
    const isBinary = binary && isHybi;
    for (const command of commands) {
      if (client.leaving) return;
      const text = nextText(this.#member, { command, size }, settings);
      if (noteSent(this.#member, text, this.#options)) this.#leaves();
      const payload = encode(text);
      const bytes = payload.length + fragments * OVERHEAD;
      countSent(this.#member, { units: 1, bytes }, settings);
      if (fragments === 1) void connection.writeMessage(isBinary ? payload : text);
      else if (isBinary) void connection.writeMessage(piecesOf(parts(payload, fragments)));
      else void connection.writeMessage(piecesOf(parts(text, fragments)));
    }
  }
}

/** Divides a message. */
function parts<Whole extends { readonly length: number; slice(start: number, end: number): Whole }>(
  whole: Whole,
  count: number,
): Whole[] {
  const size = Math.ceil(whole.length / count);
  return Array.from({ length: count }, (_, at) => whole.slice(at * size, (at + 1) * size));
}
