/**
 * A client that reconnects when it loses its connection.
 *
 * @module
 */
import { retryAfter } from "../handshake/retry_after.ts";
import { wait, waitingClock } from "../timing/waiting_clock.ts";
import { Backoff } from "./backoff.ts";
import { WebSocketClientConnection } from "./client_connection.ts";
import { HandshakeError } from "./handshake_error.ts";
import type { ConnectOptions } from "./options.ts";
import {
  type ReconnectOptions,
  resolveReconnectOptions,
  type Retry,
  type RetryPolicy,
} from "./reconnect_options.ts";
import { openSession } from "./websocket_connect.ts";

/**
 * Connects to a server, and reconnects when the connection ends. Each iteration of the loop gets an open
 * connection. The next iteration begins after that connection has ended. `break` closes the connection.
 *
 * - **Waits** are random times up to a bound, which doubles from `initialDelay` to `maxDelay` (full
 *   jitter). After a connection was open for `stableAfter`, the bound is `initialDelay` again. The
 *   `Retry-After` of a refusal with 429 or 503 takes precedence.
 * - **The end.** The loop ends when either end closes with one of the `finalCodes`. The loop throws if a
 *   refusal is final, after `maxAttempts` failures, or when the `signal` aborts.
 * - **Loss.** `for await (const message of socket)` ends without an error when the connection is lost.
 *   `socket.ended` says why. `writeMessage` and `readMessage` may reject with `WebSocketClosedError`: if
 *   you do not catch it, it ends the loop.
 *
 * @param url The URL, or a function that returns it for each attempt.
 * @param options The options of `websocketConnect`, and when to connect again.
 * @returns The connections, one after the other.
 * @throws {TypeError} If an option is wrong.
 * @throws {RangeError} If a number is out of range.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 * import { reconnecting } from "@waterspout/websocket/client";
 *
 * let count = 0;
 * class Ticket extends WebSocketHandler {
 *   override open(): void {
 *     this.writeMessage(`ticket ${++count}`);
 *     this.close(count < 3 ? 1012 : 1000); // "service restart", and at last "normal closure"
 *   }
 *   onMessage(): void {}
 * }
 * await using server = new Application([["/", Ticket]]).listen({ port: 0, hostname: "127.0.0.1" });
 *
 * const tickets: unknown[] = [];
 * const url = `ws://127.0.0.1:${server.addr.port}/`;
 * for await (const socket of reconnecting(url, { initialDelay: 1 })) {
 *   for await (const message of socket) tickets.push(message);
 * }
 * assertEquals(tickets, ["ticket 1", "ticket 2", "ticket 3"]);
 * ```
 */
export function reconnecting(
  url: string | URL | (() => string | URL | Promise<string | URL>),
  options: ReconnectOptions = {},
): AsyncGenerator<WebSocketClientConnection, void, undefined> {
  const { policy, attempt } = resolveReconnectOptions(options);
  const source = { url, headers: options.headers, transport: options.transport };
  return new Reconnection(source, policy, attempt).run();
}

/** The values that functions may return anew for each attempt. */
interface Source {
  readonly url: Parameters<typeof reconnecting>[0];
  readonly headers: ReconnectOptions["headers"];
  readonly transport: ReconnectOptions["transport"] | undefined;
}

/** A connection whose iteration of messages ends without an error, so that the outer loop goes on. */
class LoopConnection extends WebSocketClientConnection {
  override async *[Symbol.asyncIterator](): AsyncGenerator<string | Uint8Array, void, undefined> {
    try {
      yield* super[Symbol.asyncIterator]();
    } catch (error) {
      if (this.ended === undefined) throw error;
    }
  }
}

/** One loop. */
class Reconnection {
  readonly #source: Source;
  readonly #policy: RetryPolicy;
  readonly #attempt: ConnectOptions;
  readonly #backoff: Backoff;
  /** How many attempts in a row have failed. */
  #failed = 0;

  constructor(source: Source, policy: RetryPolicy, attempt: ConnectOptions) {
    this.#source = source;
    this.#policy = policy;
    this.#attempt = attempt;
    this.#backoff = new Backoff(policy);
  }

  async *run(): AsyncGenerator<WebSocketClientConnection, void, undefined> {
    const { clock = waitingClock, signal } = this.#attempt;
    while (true) {
      signal?.throwIfAborted();
      const connection = await this.#open();
      if (connection === undefined) continue;
      const opened = clock.now();
      let lasted = 0;
      connection.closed.then(() => lasted = clock.now() - opened);
      const close = (): void => connection.close(1000);
      signal?.addEventListener("abort", close, { once: true });
      try {
        if (signal?.aborted) close();
        else yield connection;
        await connection.closed;
      } finally {
        signal?.removeEventListener("abort", close);
        close();
        await connection.closed;
      }
      signal?.throwIfAborted();
      const { ended } = connection;
      if (ended !== undefined && this.#policy.finalCodes.includes(ended.code)) return;
      if (lasted >= this.#policy.stableAfter) this.#backoff.reset();
      const delay = this.#backoff.next();
      await this.#wait({ attempt: 0, delay, ...(ended === undefined ? {} : { ended }) });
    }
  }

  /** Makes one attempt. If it fails, waits, and returns `undefined`. */
  async #open(): Promise<LoopConnection | undefined> {
    let fresh: { url: string | URL; options: ConnectOptions };
    try {
      fresh = await this.#prepare();
    } catch (error) {
      await this.#retry(error);
      return undefined;
    }
    try {
      const connection = new LoopConnection(await openSession(fresh.url, fresh.options));
      this.#failed = 0;
      return connection;
    } catch (error) {
      // Any other error is a mistake of the caller or the reason of the signal. Do not try again.
      if (!(error instanceof HandshakeError)) throw error;
      await this.#retry(error);
      return undefined;
    }
  }

  /** Calls the functions that return the values for an attempt. */
  async #prepare(): Promise<{ url: string | URL; options: ConnectOptions }> {
    const { url, headers, transport } = this.#source;
    const { signal } = this.#attempt;
    const [freshUrl, fields] = await unlessAborted(
      Promise.all([
        typeof url === "function" ? url() : url,
        typeof headers === "function" ? headers() : headers,
      ]),
      signal,
    );
    const options: ConnectOptions = {
      ...this.#attempt,
      ...(fields === undefined ? {} : { headers: fields }),
    };
    if (transport === undefined) return { url: freshUrl, options };
    const made = await transport();
    if (signal?.aborted) made.destroy();
    return { url: freshUrl, options: { ...options, transport: made } };
  }

  async #retry(error: unknown): Promise<void> {
    const { isFinal, maxAttempts } = this.#policy;
    this.#failed++;
    if (this.#attempt.signal?.aborted) throw this.#attempt.signal.reason;
    if (isFinal(error) || this.#failed >= maxAttempts) throw error;
    const delay = Math.min(earliest(error) + this.#backoff.next(), MAX_DELAY);
    await this.#wait({ attempt: this.#failed, delay, error });
  }

  async #wait(retry: Retry): Promise<void> {
    const { clock = waitingClock, signal } = this.#attempt;
    this.#policy.onRetry(retry);
    await wait(retry.delay, clock, signal);
  }
}

/** Waits for a promise. Rejects with the signal's reason. */
function unlessAborted<Result>(
  pending: Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  if (signal === undefined) return pending;
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(signal.reason);
    signal.addEventListener("abort", aborted, { once: true });
    pending.then(resolve, reject).finally(() => signal.removeEventListener("abort", aborted));
    if (signal.aborted) aborted();
  });
}

/** The longest delay of a timer: about 25 days. */
const MAX_DELAY = 2 ** 31 - 1;

/** Returns the `Retry-After` of a refusal, in milliseconds. */
function earliest(error: unknown): number {
  if (!(error instanceof HandshakeError)) return 0;
  const { status, headers } = error;
  return status === 429 || status === 503 ? retryAfter(headers, Date.now()) ?? 0 : 0;
}
