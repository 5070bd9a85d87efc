/**
 * Finds out which versions, extensions and subprotocols a WebSocket server supports.
 *
 * @module
 */
import { HandshakeError } from "../client/handshake_error.ts";
import type { ConnectOptions } from "../client/options.ts";
import type { WebSocketClientConnection } from "../client/client_connection.ts";
import { websocketConnect } from "../client/websocket_connect.ts";
import type { WebSocketVersion } from "../handshake/versions.ts";
import type { Clock } from "../timing/clock.ts";

/** The result for one version. */
export interface VersionReport {
  /** The version. */
  readonly version: WebSocketVersion;
  /** Whether the handshake succeeds. */
  readonly opens: boolean;
  /** How long the handshake takes, in milliseconds. */
  readonly handshake?: number;
  /** How long an echo takes, in milliseconds; missing if the server does not echo. */
  readonly echo?: number;
  /** Why the handshake fails. */
  readonly reason?: string;
}

/** The results for a server. */
export interface ProbeReport {
  /** The URL. */
  readonly url: string;
  /** The result for each version. */
  readonly versions: readonly VersionReport[];
  /** The accepted extensions with their parameters. */
  readonly extensions: readonly string[];
  /** The accepted subprotocols; `"any"` if the server accepts all. */
  readonly subprotocols: readonly string[] | "any";
}

/** Common subprotocols. Not all are registered with IANA. */
export const WELL_KNOWN: readonly string[] = [
  "graphql-transport-ws",
  "graphql-ws",
  "mqtt",
  "v12.stomp",
  "v11.stomp",
  "wamp.2.json",
  "xmpp",
  "sip",
  "ocpp2.0.1",
  "ocpp1.6",
  "chat",
  "superchat",
];

/** How many times each duration is measured. */
const ROUNDS = 5;

/** Probes a server. */
export class Probe {
  readonly #url: string;
  readonly #options: ConnectOptions;
  readonly #timeout: number;
  readonly #clock: Clock;

  /**
   * @param url The server.
   * @param options The options of each connection.
   * @param timeout How long each step may take, in milliseconds.
   * @param clock The clock that ends the wait for an echo.
   */
  constructor(url: string, options: ConnectOptions, timeout: number, clock: Clock) {
    this.#url = url;
    this.#clock = clock;
    this.#options = { ...options, handshakeTimeout: timeout, closeTimeout: 100 };
    this.#timeout = timeout;
  }

  /** Tries the versions, then the extensions, then the subprotocols. */
  async report(
    tried: readonly WebSocketVersion[],
    subprotocols: readonly string[],
  ): Promise<ProbeReport> {
    const versions: VersionReport[] = [];
    for (const version of tried) versions.push(await this.#probeVersion(version));
    // draft75 and draft76 have no extensions and no list of subprotocols.
    const newest = versions.find(({ opens, version }) => opens && !version.startsWith("draft"));
    const extensions = newest === undefined ? [] : await this.#probeExtensions(newest.version);
    const found = newest === undefined
      ? []
      : await this.#probeSubprotocols(newest.version, subprotocols);
    return { url: this.#url, versions, extensions, subprotocols: found };
  }

  async #probeVersion(version: WebSocketVersion): Promise<VersionReport> {
    const handshakes: number[] = [];
    let echo: number | undefined;
    try {
      for (let round = 0; round < ROUNDS; round++) {
        const start = performance.now();
        const connection = await this.#connect({ version });
        handshakes.push(performance.now() - start);
        if (round === 0) echo = await this.#probeEcho(connection);
        connection.abort();
      }
    } catch (error) {
      return { version, opens: false, reason: this.#reasonOf(error) };
    }
    const handshake = median(handshakes);
    return { version, opens: true, handshake, ...(echo === undefined ? {} : { echo }) };
  }

  /** Measures an echo; `undefined` if the server does not echo in time. */
  async #probeEcho(connection: WebSocketClientConnection): Promise<number | undefined> {
    const late = this.#clock.setTimeout(() => connection.abort(), this.#timeout);
    const echoes: number[] = [];
    try {
      for (let round = 0; round < ROUNDS; round++) {
        const text = `probe ${crypto.randomUUID()}`;
        const start = performance.now();
        await connection.writeMessage(text);
        // The server may send a greeting first.
        let message = await connection.readMessage();
        while (message !== text && message !== undefined) message = await connection.readMessage();
        if (message === undefined) return undefined;
        echoes.push(performance.now() - start);
      }
      return median(echoes);
    } catch {
      // The server closed the connection because of the text.
      return undefined;
    } finally {
      this.#clock.clearTimeout(late);
    }
  }

  async #probeExtensions(version: WebSocketVersion): Promise<string[]> {
    const headers = await this.#answerTo({ version, compression: { contextTakeover: true } });
    const extensions = headers?.get("sec-websocket-extensions") ?? "";
    return extensions.split(",").map((extension) => extension.trim()).filter(Boolean);
  }

  /** Offers subprotocols until the server accepts none. Removes each accepted one from the next offer. */
  async #probeSubprotocols(
    version: WebSocketVersion,
    known: readonly string[],
  ): Promise<string[] | "any"> {
    const unknown = `probe-${crypto.randomUUID()}`;
    if (await this.#choice(version, [unknown]) === unknown) return "any";
    const found: string[] = [];
    for (let left = [...known]; left.length > 0;) {
      const chosen = await this.#choice(version, left);
      if (chosen === undefined) break;
      found.push(chosen);
      left = left.filter((name) => name !== chosen);
    }
    return found;
  }

  async #choice(version: WebSocketVersion, subprotocols: string[]): Promise<string | undefined> {
    const headers = await this.#answerTo({ version, subprotocols });
    return headers?.get("sec-websocket-protocol") ?? undefined;
  }

  /** Returns the header fields of a handshake's response; `undefined` if it is refused. */
  async #answerTo(options: ConnectOptions): Promise<Headers | undefined> {
    try {
      const connection = await this.#connect(options);
      connection.abort();
      return connection.headers;
    } catch (error) {
      if (error instanceof HandshakeError) return undefined;
      throw error;
    }
  }

  #connect(options: ConnectOptions): Promise<WebSocketClientConnection> {
    return websocketConnect(this.#url, { ...this.#options, ...options });
  }

  #reasonOf(error: unknown): string {
    if (!(error instanceof HandshakeError)) throw error;
    return error.message.replace(/^Cannot connect to \S+(?: through proxy \S+)?: /, "");
  }
}

function median(times: readonly number[]): number {
  const middle = times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0;
  return Math.round(middle * 1000) / 1000;
}
