/**
 * The opening of a client's connection: the request goes out, and what comes is an agreement or the
 * reason why there is none.
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

/** What the server agreed to. */
export interface Opened {
  /** The answer's head. */
  readonly head: ResponseHead;
  /** What was agreed on. */
  readonly agreement: Agreement;
  /** The bytes behind the answer. */
  readonly rest: Uint8Array;
}

/** Who is told how it went; once. */
export interface OpeningEvents {
  /** The connection is open. */
  opened(opened: Opened): void;
  /** It will never be. */
  refused(error: HandshakeError): void;
}

/**
 * - `head`: the answer's head is arriving;
 * - `proof`: behind it, what proves that the server has read the request;
 * - `body`: the body of a refusal;
 * - `over`: it is told how it went.
 */
type State = "head" | "challenge" | "body" | "over";

/** One connection's opening. */
export class Opening {
  readonly #href: string;
  readonly #handshake: ClientHandshake;
  readonly #limits: ClientLimits;
  readonly #events: OpeningEvents;
  #state: State = "head";
  readonly #reader: HeadReader<ResponseHead>;
  /** The answer's head, once it is there. */
  #head: ResponseHead | null = null;
  #agreement: Agreement | null = null;
  #body: RefusalBody | null = null;
  readonly #challengeResponse: number[] = [];
  /** How many bytes have come. */
  #received = 0;

  /**
   * @param href The URL, for messages.
   * @param handshake What is sent, and what must come.
   * @param limits The limits of the answer.
   * @param events Who is told.
   */
  constructor(
    href: string,
    handshake: ClientHandshake,
    { limits, events }: { readonly limits: ClientLimits; readonly events: OpeningEvents },
  ) {
    this.#href = href;
    this.#handshake = handshake;
    this.#limits = limits;
    this.#events = events;
    this.#reader = responseReader(limits);
  }

  /** Bytes have come; they are only valid during the call. */
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

  /** The server sends nothing more, or the connection is gone. */
  end(cause?: Error): void {
    if (this.#state === "body") return this.#refuse();
    const how = cause === undefined ? "the server ended the connection" : cause.message;
    const because = `${how} before a ${this.#awaited()}, got ${this.#received} bytes`;
    this.#fail(because, cause === undefined ? {} : { cause });
  }

  /** The time is up. */
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
    while (head !== undefined && this.#handshake.mayInform && informs(head)) {
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
          `not ${hex(this.#challengeResponse)} (draft76 §4.1)`,
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
    this.#fail(`the status must be 101, not ${quote(head.statusLine)}${shown}`, {
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

/** Whether an answer only says that another one follows (RFC 9110 §15.2). */
function informs({ status }: ResponseHead): boolean {
  return status < 200 && status !== 101;
}

function hex(bytes: Iterable<number>): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
