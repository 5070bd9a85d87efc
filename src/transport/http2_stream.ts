/**
 * A stream of HTTP/2 as a connection: END_STREAM is FIN, RST_STREAM is a reset, and flow control is
 * backpressure (RFC 8441 §5).
 *
 * @module
 */
import { ByteQueue } from "./byte_queue.ts";
import { toError } from "../guard.ts";
import { SessionOutput, type SocketWaiter } from "./http2_output.ts";
import type { Http2ServerStream, Http2Stream, Http2StreamSession } from "./http2_types.ts";
import { noEvents } from "./no_events.ts";
import { certificateOf, type VerifiedSocket } from "./peer_certificate.ts";
import type { Address, InternalTransport, PeerCertificate, TransportEvents } from "./transport.ts";

/** Called when a write is complete or has failed. */
type WriteCallback = (error?: Error | null) => void;

/** The error code of a reset (RFC 8441 §5). */
const CANCEL = 8;

/** The error code for a request whose rest is not needed (RFC 9113 §8.1). */
const NO_ERROR = 0;

/**
 * The largest single write to the stream, in bytes. Its callback comes when all of it is sent, so this is
 * the precision of `bufferedAmount`.
 */
const MAX_WRITE = 64 * 1024;

/** Names of the error codes that a peer may send (RFC 9113 §7). */
const ERROR_CODES: readonly string[] = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
  "INADEQUATE_SECURITY",
  "HTTP_1_1_REQUIRED",
];

const owner: unique symbol = Symbol("transport");

interface OwnedStream extends Http2Stream {
  [owner]: Http2Transport;
}

/** The facts about both ends, shared by all streams of a session. */
export interface Ends {
  /** The peer's address. */
  readonly remoteAddress: Address;
  /** The local address. */
  readonly localAddress: Address;
  /** Whether the session is over TLS. */
  readonly secure: boolean;
  /** The client's certificate, verified. */
  readonly peerCertificate: PeerCertificate | undefined;
  /** The shared output of all streams. */
  readonly output: SessionOutput | undefined;
}

/**
 * - `open`
 * - `ending`: END_STREAM will be sent after the queue
 * - `ended`: END_STREAM was sent
 * - `closed`
 */
type State = "open" | "ending" | "ended" | "closed";

/** A {@linkcode Transport} for a stream of `node:http2`. */
export class Http2Transport implements InternalTransport, SocketWaiter {
  readonly #stream: Http2Stream;
  readonly #ends: Ends;
  #events = noEvents;
  #state: State = "open";
  #error: Error | undefined = undefined;
  /** Whether `destroy` was called. */
  #destroyed = false;
  #paused = false;
  /** Whether END_STREAM arrived while paused. */
  #endIsHeld = false;
  /** Whether the peer has ended the stream, as far as is known. */
  #peerEnded: boolean;
  /** Whether to send RST_STREAM after END_STREAM, so that the peer stops sending. */
  #releasesPeer = false;
  /** The size of the stream's pending write; 0 if there is none. */
  #sending = 0;
  /** Writes that wait behind it. */
  #queue: ByteQueue | null = null;
  /** Called when a write is complete; made when first needed. */
  #onSent: WriteCallback | null = null;

  /** @param stream An open stream that nothing else uses. */
  constructor(stream: Http2Stream) {
    this.#stream = stream;
    this.#peerEnded = (stream as Partial<Http2ServerStream>).endAfterHeaders === true;
    this.#ends = endsOf(stream.session);
    (stream as OwnedStream)[owner] = this;
    stream.on("error", onError);
    stream.on("close", onClose);
  }

  get events(): TransportEvents {
    return this.#events;
  }

  set events(events: TransportEvents) {
    const first = this.#events === noEvents;
    this.#events = events;
    if (!first) return;
    // A `data` listener starts the reading, so it is added with the first `events`.
    this.#stream.on("data", onData);
    this.#stream.on("end", onEnd);
    if (this.#paused) this.#stream.pause();
  }

  get bufferedAmount(): number {
    return this.#sending + (this.#queue === null ? 0 : this.#queue.size);
  }

  get remoteAddress(): Address {
    return this.#ends.remoteAddress;
  }

  get localAddress(): Address {
    return this.#ends.localAddress;
  }

  get secure(): boolean {
    return this.#ends.secure;
  }

  get peerCertificate(): PeerCertificate | undefined {
    return this.#ends.peerCertificate;
  }

  write(bytes: Uint8Array, stable: boolean): void {
    if (this.#state !== "open" || bytes.length === 0) return;
    if (this.#sending !== 0 || bytes.length > MAX_WRITE) {
      (this.#queue ??= new ByteQueue()).push(bytes, stable);
      if (this.#sending === 0) this.#sendNext();
    } else this.#send(stable ? bytes : new Uint8Array(bytes));
  }

  #send(bytes: Uint8Array): void {
    this.#sending = bytes.length;
    this.#stream.write(bytes, this.#sent());
  }

  /** Returns the callback of a write. */
  #sent(): WriteCallback {
    return this.#onSent ??= (error) => {
      // `close` follows an error.
      if (error || this.#state === "closed") return;
      if (this.#ends.output?.isCongestedAfter(this.#sending, this)) return;
      this.socketDrained();
    };
  }

  socketDrained(): void {
    this.#sending = 0;
    this.#sendNext();
  }

  #sendNext(): void {
    const bytes = this.#queue?.shift(MAX_WRITE);
    if (bytes !== undefined) return this.#send(bytes);
    this.#queue = null;
    if (this.#state === "ending") this.#finish();
    else if (this.#state === "open") this.#events.drain();
  }

  /** Handles `data`. */
  received(chunk: Uint8Array): void {
    // After a reset by the peer, Bun emits buffered data even if the stream is paused.
    if (this.#paused || this.#state === "closed" || chunk.length === 0) return;
    this.#events.data(chunk);
  }

  /** Handles `end`, which is also emitted for a stream that was reset. */
  peerEnded(): void {
    this.#peerEnded = true;
    if (this.#state === "closed" || this.#stream.aborted || this.#stream.destroyed) return;
    if (this.#paused) this.#endIsHeld = true;
    else this.#events.end();
  }

  pause(): void {
    this.#paused = true;
    if (this.#events !== noEvents) this.#stream.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#events === noEvents || this.#state === "closed") return;
    this.#stream.resume();
    // In a microtask: `resume` may be called inside an event.
    if (this.#endIsHeld) queueMicrotask(() => this.#deliverEnd());
  }

  #deliverEnd(): void {
    if (this.#paused || this.#state === "closed" || !this.#endIsHeld) return;
    this.#endIsHeld = false;
    this.#events.end();
  }

  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    if (this.#sending === 0) this.#finish();
  }

  #finish(): void {
    this.#state = "ended";
    this.#stream.end();
    if (this.#releasesPeer) this.#releasePeer();
  }

  releasePeer(): void {
    this.#releasesPeer = true;
    if (this.#state === "ended") this.#releasePeer();
  }

  /** Without RST_STREAM, a client may wait until it can send the rest of its request. */
  #releasePeer(): void {
    const stream = this.#stream;
    const reset = () => {
      if (this.#peerEnded || stream.destroyed) return;
      // Deno may not have sent END_STREAM yet, and would not send it after RST_STREAM.
      if (stream.state?.localClose === 0) setTimeout(reset, 10);
      else stream.close(NO_ERROR);
    };
    stream.on("finish", () => setTimeout(reset, 0));
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#release();
    if (this.#stream.destroyed) return;
    this.#stream.close(CANCEL);
    // Without this, a stream whose output waits for the peer would never close.
    this.#stream.destroy();
  }

  #release(): void {
    this.#ends.output?.forget(this);
    this.#state = "closed";
    this.#queue = null;
    this.#sending = 0;
  }

  /** Handles `error`, which `close` follows. */
  failed(error: Error): void {
    if (!this.#destroyed) this.#error ??= error;
  }

  /** Handles `close`. */
  gone(): void {
    this.#release();
    if (!this.#destroyed) this.#error ??= resetError(this.#stream);
    this.#events.closed(this.#error);
  }

  /** Does nothing: the session owns the socket, and sends without delay. */
  setNoDelay(): void {}

  /** Does nothing: the session owns the socket. */
  setKeepAlive(): void {}
}

/** Returns the error for a stream that the peer has reset; `undefined` for one that has ended. */
function resetError({ rstCode = 0, aborted }: Http2Stream): Error | undefined {
  if (rstCode === 0 && !aborted) return undefined;
  if (rstCode === 0) return new Error("the HTTP/2 session is closed");
  const name = ERROR_CODES[rstCode] ?? "an unknown code";
  return new Error(`the peer reset the HTTP/2 stream with ${name} (${rstCode})`);
}

/** The ends of a session, in the session itself. */
const ENDS: unique symbol = Symbol("waterspout ends");

interface Session extends Http2StreamSession {
  [ENDS]?: Ends;
}

/** Reads the ends of a session once: its `socket` is a slow proxy. */
export function endsOf(session: Session | undefined): Ends {
  if (session?.[ENDS] !== undefined) return session[ENDS];
  const { remoteAddress, remotePort, localAddress, localPort } = session?.socket ?? {};
  const isTcp = remoteAddress !== undefined || localAddress !== undefined;
  const transport = isTcp || session === undefined ? "tcp" : "unix";
  const ends: Ends = {
    remoteAddress: { transport, hostname: remoteAddress ?? "", port: remotePort ?? 0 },
    localAddress: { transport, hostname: localAddress ?? "", port: localPort ?? 0 },
    secure: session?.encrypted === true,
    peerCertificate: session?.encrypted
      ? certificateOf(session.socket as VerifiedSocket)
      : undefined,
    output: session && new SessionOutput(session),
  };
  if (session !== undefined) session[ENDS] = ends;
  return ends;
}

function onData(this: OwnedStream, chunk: unknown): void {
  this[owner].received(chunk as Uint8Array);
}

function onEnd(this: OwnedStream): void {
  this[owner].peerEnded();
}

function onError(this: OwnedStream, error: unknown): void {
  this[owner].failed(toError(error));
}

function onClose(this: OwnedStream): void {
  this[owner].gone();
}
