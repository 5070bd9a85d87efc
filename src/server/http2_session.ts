/**
 * A session of HTTP/2 on a listener of ours. Its streams are connections of their own.
 *
 * @module
 */
import type { Link, Timed } from "../timing/timing_wheel.ts";
import {
  type Http2ServerSession,
  type Http2ServerStream,
  sessionAddress,
} from "../transport/http2.ts";
import type { ConnectionGroup } from "./connection_group.ts";
import type { Context, Owned } from "./context.ts";

/** One session. Without a stream, it counts as a connection itself, and is closed after a while. */
export class Http2Session implements Owned, Timed {
  /** See {@linkcode Owned}. */
  index = -1;
  /** See {@linkcode Timed}. */
  deadline = 0;
  /** See {@linkcode Timed}. */
  before: Link | null = null;
  /** See {@linkcode Timed}. */
  after: Link | null = null;
  readonly #context: Context;
  readonly #session: Http2ServerSession;
  #streams = 0;
  #closed = false;

  /** Starts to watch a session. It is closed at once if there are too many connections. */
  constructor(context: Context, group: ConnectionGroup, session: Http2ServerSession) {
    this.#context = context;
    this.#session = session;
    group.add(this);
    session.on("close", () => {
      this.#closed = true;
      this.#busy();
      group.owner.forget(this);
    });
    const isAdmitted = context.hold(this, sessionAddress(session), group.owner);
    if (isAdmitted) this.#wait(context.settings.handshakeTimeout);
    else session.destroy();
  }

  /** Counts a stream. */
  opened(stream: Http2ServerStream): void {
    if (this.#streams++ === 0) this.#busy();
    stream.on("close", () => {
      if (--this.#streams > 0 || this.#closed) return;
      this.#context.hold(this, sessionAddress(this.#session));
      this.#wait(this.#context.settings.keepAliveTimeout);
    });
  }

  /** The session has streams, or is closed: it does not count any more. */
  #busy(): void {
    this.#context.release(this);
    this.#context.wheel.remove(this);
  }

  #wait(timeout: number): void {
    if (timeout > 0) this.#context.wheel.set(this, timeout);
  }

  /** See {@linkcode Timed.expire}: no stream for too long. */
  expire(): void {
    this.#session.close();
  }

  /** See {@linkcode Owned.shutdown}. The streams are shut down by themselves. */
  shutdown(): void {
    this.#session.close();
  }

  /** See {@linkcode Owned.terminate}. */
  terminate(): void {
    this.#session.destroy();
  }
}
