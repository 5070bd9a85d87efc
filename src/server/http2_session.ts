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
  /** Closes the connection at once. */
  readonly #destroy: () => void;
  #streams = 0;
  /**
   * - `open`
   * - `closing`: GOAWAY is sent; without a stream, the client has `closeTimeout` to end the connection
   * - `closed`
   */
  #state: "open" | "closing" | "closed" = "open";

  /** Starts to watch a session. It is closed at once if there are too many connections. */
  constructor(
    { context, group }: { readonly context: Context; readonly group: ConnectionGroup },
    session: Http2ServerSession,
    destroy: () => void,
  ) {
    this.#context = context;
    this.#session = session;
    this.#destroy = destroy;
    group.add(this);
    session.on("close", () => {
      this.#state = "closed";
      this.#busy();
      group.owner.forget(this);
    });
    const isAdmitted = context.hold(this, sessionAddress(session), group.owner);
    if (isAdmitted) this.#wait(context.settings.handshakeTimeout);
    else this.terminate();
  }

  /** Counts a stream. */
  opened(stream: Http2ServerStream): void {
    if (this.#streams++ === 0) this.#busy();
    stream.on("close", () => {
      if (--this.#streams > 0 || this.#state === "closed") return;
      const { closeTimeout, keepAliveTimeout } = this.#context.settings;
      this.#context.hold(this, sessionAddress(this.#session));
      this.#wait(this.#state === "closing" ? closeTimeout : keepAliveTimeout);
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

  /** See {@linkcode Timed.expire}: no stream for too long, or no end after GOAWAY. */
  expire(): void {
    if (this.#state === "open") this.shutdown();
    else this.terminate();
  }

  /** See {@linkcode Owned.shutdown}. The streams are shut down by themselves. */
  shutdown(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    if (this.#streams === 0) this.#wait(this.#context.settings.closeTimeout);
    this.#session.close();
  }

  /** See {@linkcode Owned.terminate}. */
  terminate(): void {
    this.#session.destroy();
    this.#destroy();
  }
}
