/**
 * Prints which versions, extensions and subprotocols a WebSocket server supports, and its latency.
 *
 *     deno run --allow-net examples/probe.ts ws://localhost:8888/websocket [options]
 *     bun run examples/probe.ts ws://localhost:8888/websocket [options]
 *     node examples/probe.ts ws://localhost:8888/websocket [options]
 *
 * Options:
 *
 *     --json                print JSON
 *     --timeout 3000        how long each step may take, in milliseconds
 *     --origin URL          the origin to send
 *     --header "Name: a"    a header field to send; can be repeated
 *     --subprotocol NAME    a subprotocol to offer, instead of well-known ones
 *     --insecure            accept any certificate
 *
 * The time of a handshake includes TCP and TLS. The time of an echo is from a text to the same
 * text. Both are medians. The exit code is 1 if the server supports no version, and 2 after an
 * error.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import {
  type ConnectOptions,
  HandshakeError,
  type WebSocketClientConnection,
  websocketConnect,
  type WebSocketVersion,
} from "@waterspout/websocket/client";

/** The result for one version. */
interface VersionReport {
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
interface Report {
  readonly url: string;
  readonly versions: readonly VersionReport[];
  /** The accepted extensions with their parameters. */
  readonly extensions: readonly string[];
  /** The accepted subprotocols; `"any"` if the server accepts all. */
  readonly subprotocols: readonly string[] | "any";
}

const VERSIONS: readonly WebSocketVersion[] = [
  "rfc6455",
  "hybi-08",
  "hybi-07",
  "draft76",
  "draft75",
];

/** Common subprotocols, registered at IANA or not. */
const WELL_KNOWN: readonly string[] = [
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

/** How often each time is measured. */
const ROUNDS = 5;

/** Probes a server. */
class Probe {
  readonly #url: string;
  readonly #options: ConnectOptions;
  readonly #timeout: number;

  constructor(url: string, options: ConnectOptions, timeout: number) {
    this.#url = url;
    this.#options = { ...options, handshakeTimeout: timeout, closeTimeout: 100 };
    this.#timeout = timeout;
  }

  async report(subprotocols: readonly string[]): Promise<Report> {
    const versions: VersionReport[] = [];
    for (const version of VERSIONS) versions.push(await this.#probeVersion(version));
    // The drafts of 2010 have no extensions and no list of subprotocols.
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
    const late = setTimeout(() => connection.abort(), this.#timeout);
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
      clearTimeout(late);
    }
  }

  async #probeExtensions(version: WebSocketVersion): Promise<string[]> {
    const headers = await this.#answerTo({ version, compression: { contextTakeover: true } });
    const extensions = headers?.get("sec-websocket-extensions") ?? "";
    return extensions.split(",").map((extension) => extension.trim()).filter(Boolean);
  }

  /** Offers the subprotocols without those accepted before, until the server accepts none. */
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
    return error.message.replace(/^Cannot connect to \S+: /, "");
  }
}

function median(times: readonly number[]): number {
  const middle = times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0;
  return Math.round(middle * 1000) / 1000;
}

function table({ url, versions, extensions, subprotocols }: Report): string {
  const ms = (time: number | undefined) => time === undefined ? "–" : `${time.toFixed(2)} ms`;
  const lines = versions.map(({ version, opens, handshake, echo, reason = "" }) =>
    row(version, opens ? "yes" : "no", ms(handshake), ms(echo), shorten(reason))
  );
  return [
    url,
    "",
    row("version", "opens", "handshake", "echo", ""),
    ...lines,
    "",
    `extensions    ${extensions.join(", ") || "none"}`,
    `subprotocols  ${subprotocols === "any" ? "any" : subprotocols.join(", ") || "none"}`,
  ].join("\n");
}

function row(
  version: string,
  opens: string,
  handshake: string,
  echo: string,
  rest: string,
): string {
  const cells = [
    version.padEnd(8),
    opens.padEnd(5),
    handshake.padStart(10),
    echo.padStart(10),
    rest,
  ];
  return cells.join("  ").trimEnd();
}

function shorten(text: string): string {
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}

/** Parses a header field of the command line. */
function parseField(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  return [line.slice(0, Math.max(colon, 0)), line.slice(colon + 1).trim()];
}

async function main(): Promise<number> {
  const { values, positionals: [url] } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      timeout: { type: "string", default: "3000" },
      origin: { type: "string" },
      header: { type: "string", multiple: true, default: [] },
      subprotocol: { type: "string", multiple: true, default: [...WELL_KNOWN] },
      insecure: { type: "boolean", default: false },
    },
  });
  if (url === undefined) {
    throw new TypeError("Cannot probe: expected a URL such as ws://host/path, got none");
  }
  const options: ConnectOptions = {
    headers: values.header.map(parseField),
    // `ws:` has no TLS options.
    ...(/^(?:wss|https):/i.test(url) ? { tls: { insecure: values.insecure } } : {}),
    ...(values.origin === undefined ? {} : { origin: values.origin }),
  };
  const report = await new Probe(url, options, Number(values.timeout)).report(values.subprotocol);
  console.log(values.json ? JSON.stringify(report, null, 2) : table(report));
  return report.versions.some(({ opens }) => opens) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  // Print only the message: a wrong command line needs no stack trace.
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
