/**
 * The opening handshake of a client: reads the response, and finds out whether the server accepts.
 *
 * @module
 */
import { ProtocolError, quote } from "../errors.ts";
import type { Agreement, ClientHandshake } from "../handshake/client_handshake.ts";
import type { HeadReader } from "../handshake/head_reader.ts";
import type { ResponseHead } from "../handshake/response_head.ts";
import { responseReader } from "../handshake/status_line.ts";
import type { ClientLimits } from "./client_limits.ts";
import { HandshakeError } from "./handshake_error.ts";
import { RefusalBody } from "./refusal_body.ts";

/** A successful handshake. */
export interface OpenedHandshake {
  /** The head of the response. */
  readonly head: ResponseHead;
  /** The subprotocol and the compression. */
  readonly agreement: Agreement;
  /** The bytes after the handshake. */
  readonly rest: Uint8Array;
}

/** The result of the handshake. One of the two methods is called, once. */
export interface ClientOpeningEvents {
  /** The server accepts. */
  opened(opened: OpenedHandshake): void;
  /** The server refuses, the response breaks a rule, or the connection was lost. */
  refused(error: HandshakeError): void;
}

/**
 * - `head`: receiving the head of the response
 * - `challenge`: receiving the challenge response of draft76
 * - `body`: receiving the body of a refusal
 * - `over`: the result was reported
 */
type State = "head" | "challenge" | "body" | "over";

/** One opening handshake. */
export class ClientOpening {
  readonly #href: string;
  readonly #handshake: ClientHandshake;
  readonly #limits: ClientLimits;
  readonly #events: ClientOpeningEvents;
  #state: State = "head";
  readonly #reader: HeadReader<ResponseHead>;
  /** The head of the response; `null` until it is complete. */
  #head: ResponseHead | null = null;
  #agreement: Agreement | null = null;
  #body: RefusalBody | null = null;
  readonly #challengeResponse: number[] = [];
  /** How many bytes have arrived. */
  #received = 0;

  /**
   * @param href The URL, for error messages.
   * @param handshake The handshake of the version.
   * @param limits The limits of the response.
   * @param events Receives the result.
   */
  constructor(
    href: string,
    handshake: ClientHandshake,
    { limits, events }: { readonly limits: ClientLimits; readonly events: ClientOpeningEvents },
  ) {
    this.#href = href;
    this.#handshake = handshake;
    this.#limits = limits;
    this.#events = events;
    this.#reader = responseReader(limits);
  }

  /** Handles received bytes, which are valid only during the call. */
  data(chunk: Uint8Array): void {
    this.#received += chunk.length;
    try {
      if (this.#state === "head") this.#readHead(chunk);
      else if (this.#state === "challenge") this.#readChallengeResponse(chunk);
      else if (this.#state === "body") this.#readBody(chunk);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#fail(error.message, { cause: error });
    }
  }

  /** Handles the server's FIN, or the loss of the connection. */
  end(cause?: Error): void {
    if (this.#state === "body") return this.#refuse();
    const how = cause === undefined ? "the server closed the connection" : cause.message;
    const because = `${how} before a ${this.#awaited()}, got ${this.#received} bytes`;
    this.#fail(because, cause === undefined ? {} : { cause });
  }

  /** Handles the end of `handshakeTimeout`. */
  timedOut(): void {
    if (this.#state === "body") return this.#refuse();
    const { handshakeTimeout } = this.#limits;
    this.#fail(
      `no ${this.#awaited()} within handshakeTimeout (${handshakeTimeout} ms), ` +
        `got ${this.#received} bytes`,
    );
  }

  #awaited(): string {
    return this.#state === "challenge" ? "complete challenge response" : "complete response";
  }

  #readHead(chunk: Uint8Array): void {
    let rest = chunk;
    let head = this.#reader.read(rest);
    while (head !== undefined && this.#handshake.allowsInterim && isInterim(head)) {
      rest = rest.subarray(this.#reader.consumed);
      head = this.#reader.read(rest);
    }
    if (head !== undefined) this.#decide(head, rest.subarray(this.#reader.consumed));
  }

  #decide(head: ResponseHead, rest: Uint8Array): void {
    this.#head = head;
    if (head.status === 101) {
      this.#agreement = this.#handshake.check(head);
      this.#state = "challenge";
      this.#readChallengeResponse(rest);
    } else {
      this.#body = new RefusalBody(head, this.#limits.maxBodySize);
      this.#state = "body";
      this.#readBody(rest);
    }
  }

  #readChallengeResponse(chunk: Uint8Array): void {
    const expected = this.#handshake.challengeResponse;
    const part = chunk.subarray(0, expected.length - this.#challengeResponse.length);
    this.#challengeResponse.push(...part);
    if (this.#challengeResponse.length < expected.length) return;
    if (expected.some((byte, i) => byte !== this.#challengeResponse[i])) {
      throw new ProtocolError(
        1002,
        `the challenge response must be ${hex(expected)}, ` +
          `got ${hex(this.#challengeResponse)} (draft76 §4.1)`,
      );
    }
    this.#opened(chunk.subarray(part.length));
  }

  #opened(rest: Uint8Array): void {
    const [head, agreement] = [this.#head, this.#agreement];
    if (head === null || agreement === null) return;
    this.#state = "over";
    this.#events.opened({ head, agreement, rest });
  }

  #readBody(chunk: Uint8Array): void {
    this.#body?.read(chunk);
    if (this.#body?.complete) this.#refuse();
  }

  #refuse(): void {
    const [head, body] = [this.#head, this.#body?.text ?? ""];
    if (head === null) return;
    const shown = body === "" ? "" : `: ${quote(body.trim())}`;
    this.#fail(`the status must be 101, got ${quote(head.statusLine)}${shown}`, {
      status: head.status,
      headers: head.toHeaders(),
      body,
    });
  }

  #fail(because: string, details: ConstructorParameters<typeof HandshakeError>[1] = {}): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#events.refused(
      new HandshakeError(`Cannot connect to ${this.#href}: ${because}`, details),
    );
  }
}

/** Returns whether another response follows this one (RFC 9110 §15.2). */
function isInterim({ status }: ResponseHead): boolean {
  return status < 200 && status !== 101;
}

function hex(bytes: Iterable<number>): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
