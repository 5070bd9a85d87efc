/**
 * The opening of a WebSocket on a stream of HTTP/2 (RFC 8441): the server's SETTINGS are awaited, the
 * request is sent, and the response is an agreement or a refusal.
 *
 * @module
 */
import { ProtocolError, quote } from "../errors.ts";
import { toError } from "../guard.ts";
import {
  type Http2Fields,
  type StreamHandshake,
  streamResponseHead,
} from "../handshake/extended_connect.ts";
import type { ResponseHead } from "../handshake/response_head.ts";
import type { WebSocketUrl } from "../handshake/web_socket_url.ts";
import {
  extendedConnectEnabled,
  type Http2ClientSession,
  requestStream,
} from "../transport/http2.ts";
import type { Transport } from "../transport/transport.ts";
import type { ClientLimits } from "./client_limits.ts";
import type { OpenedHandshake } from "./client_opening.ts";
import { HandshakeError } from "./handshake_error.ts";
import { RefusalBody } from "./refusal_body.ts";

/** What an opening consists of. */
export interface StreamOpeningOptions {
  /** The URL. */
  readonly url: WebSocketUrl;
  /** What is sent, and what must come. */
  readonly handshake: StreamHandshake;
  /** The limits. */
  readonly limits: ClientLimits;
  /** Called when the WebSocket is open. It sets the transport's events at once. */
  readonly opened: (transport: Transport, opened: OpenedHandshake) => void;
  /** Called with the reason why it will not be. */
  readonly failed: (error: unknown) => void;
}

const EMPTY = new Uint8Array(0);

/**
 * - `settings`: the server's SETTINGS are awaited;
 * - `head`: the head of the response is awaited;
 * - `body`: the body of a refusal is arriving;
 * - `over`: the result was reported
 */
type State = "settings" | "head" | "body" | "over";

/** The opening of one stream. */
export class StreamOpening {
  readonly #options: StreamOpeningOptions;
  #state: State = "settings";
  /** Resets the stream. */
  #cancel: () => void = () => {};
  #refusal: { readonly head: ResponseHead; readonly body: RefusalBody } | null = null;

  /** @param session The client's session. @param options What the opening consists of. */
  constructor(session: Http2ClientSession, options: StreamOpeningOptions) {
    this.#options = options;
    extendedConnectEnabled(session).then(
      () => this.#request(session),
      (error) => this.#fail(`extended CONNECT is not possible: ${toError(error).message}`, error),
    );
  }

  /** Ends the opening, with the caller's reason. */
  giveUp(reason: unknown): void {
    this.#finish(() => this.#options.failed(reason), true);
  }

  /** The time for the opening has passed. */
  timedOut(): void {
    if (this.#state === "body") return this.#refuse();
    const { handshakeTimeout } = this.#options.limits;
    const awaited = this.#state === "settings" ? "SETTINGS" : "response";
    this.#fail(`no ${awaited} within handshakeTimeout (${handshakeTimeout} ms)`);
  }

  #request(session: Http2ClientSession): void {
    if (this.#state === "over") return;
    if ((session.encrypted === true) !== this.#options.url.secure) {
      return this.#fail(`the HTTP/2 session is ${session.encrypted ? "" : "not "}over TLS`);
    }
    this.#state = "head";
    try {
      this.#cancel = requestStream(session, this.#options.handshake.fields, {
        response: (transport, fields) => this.#respond(transport, fields),
        failed: (error) => this.#fail(error.message, error),
      });
    } catch (error) {
      this.#fail(toError(error).message, error);
    }
  }

  #respond(transport: Transport, fields: Http2Fields): void {
    const { handshake, limits, opened } = this.#options;
    try {
      const head = streamResponseHead(fields, limits);
      if (head.status < 200 || head.status > 299) return this.#readRefusal(transport, head);
      const agreement = handshake.check(head);
      this.#finish(() => opened(transport, { head, agreement, rest: EMPTY }));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#fail(error.message, error);
    }
  }

  #readRefusal(transport: Transport, head: ResponseHead): void {
    const body = new RefusalBody(head, this.#options.limits.maxBodySize);
    this.#refusal = { head, body };
    this.#state = "body";
    transport.events = {
      data: (chunk) => {
        body.read(chunk);
        if (body.complete) this.#refuse();
      },
      drain: () => {},
      end: () => this.#refuse(),
      closed: () => this.#refuse(),
    };
    body.read(EMPTY);
    if (body.complete) this.#refuse();
  }

  #refuse(): void {
    if (this.#refusal === null) return;
    const { head, body: { text: body } } = this.#refusal;
    const shown = body === "" ? "" : `: ${quote(body.trim())}`;
    this.#failWith(
      new HandshakeError(
        this.#message(`the status must be 2xx, got ${quote(head.statusLine)}${shown}`),
        { status: head.status, headers: head.toHeaders(), body },
      ),
    );
  }

  #fail(because: string, cause?: unknown): void {
    const details = cause === undefined ? {} : { cause };
    this.#failWith(new HandshakeError(this.#message(because), details));
  }

  #failWith(error: HandshakeError): void {
    this.#finish(() => this.#options.failed(error), true);
  }

  #message(because: string): string {
    return `Cannot connect to ${this.#options.url.href}: ${because}`;
  }

  #finish(report: () => void, cancels = false): void {
    if (this.#state === "over") return;
    this.#state = "over";
    if (cancels) this.#cancel();
    report();
  }
}
