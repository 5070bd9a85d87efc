/**
 * Says what a WebSocket server speaks, and how long it takes: a table, or JSON with `--json`.
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
 *     --header "Name: a"    a field to send; as often as needed
 *     --subprotocol NAME    a subprotocol to ask for, instead of those that are well known
 *     --insecure            accept any certificate
 *
 * The handshake counts from the first packet, so TCP's and TLS's are in it; the echo is the time from
 * a text to the same text. Both are medians. The exit code is 1 if the server speaks no
 * version, and 2 if it could not be asked.
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

/** What is found of one version. */
interface VersionReport {
  readonly version: WebSocketVersion;
  /** Whether the handshake succeeds. */
  readonly opens: boolean;
  /** How long the handshake takes, in milliseconds. */
  readonly handshake?: number;
  /** How long an echo takes, in milliseconds; not there if the server does not echo. */
  readonly echo?: number;
  /** Why it does not open. */
  readonly reason?: string;
}

/** What is found of a server. */
interface Report {
  readonly url: string;
  readonly versions: readonly VersionReport[];
  /** The extensions that it takes of those offered, with their parameters. */
  readonly extensions: readonly string[];
  /** The subprotocols that it takes of those asked for; `"any"` if it takes whatever comes. */
  readonly subprotocols: readonly string[] | "any";
}

const VERSIONS: readonly WebSocketVersion[] = [
  "rfc6455",
  "hybi-08",
  "hybi-07",
  "draft76",
  "draft75",
];

/** Of IANA's registry and from the wild, those that a server most likely speaks. */
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

/** How often each time is taken. */
const ROUNDS = 5;

/** Asks one server. */
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
    // Neither is in the drafts of 2010.
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

  /** `undefined` if the server sends no echo in time. */
  async #probeEcho(connection: WebSocketClientConnection): Promise<number | undefined> {
    const late = setTimeout(() => connection.abort(), this.#timeout);
    const echoes: number[] = [];
    try {
      for (let round = 0; round < ROUNDS; round++) {
        const text = `probe ${crypto.randomUUID()}`;
        const start = performance.now();
        await connection.writeMessage(text);
        // A greeting may be before it.
        let message = await connection.readMessage();
        while (message !== text && message !== undefined) message = await connection.readMessage();
        if (message === undefined) return undefined;
        echoes.push(performance.now() - start);
      }
      return median(echoes);
    } catch {
      // The server ended what it does not understand.
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

  /** A server chooses one of several: what it has chosen is left out until it chooses none. */
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

  /** The fields of the answer to a handshake; `undefined` if it is refused. */
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

/** A field of the command line. */
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
  if (url === undefined) throw new TypeError("Cannot probe: give a URL such as ws://host/path");
  const options: ConnectOptions = {
    headers: values.header.map(parseField),
    // A `ws:` connection has no TLS to set.
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
  // A mistake on the command line needs no stack.
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
