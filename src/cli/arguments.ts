/**
 * Parses the command line into a plan. No I/O.
 *
 * @module
 */
import { WEBSOCKET_VERSIONS, type WebSocketVersion } from "../handshake/versions.ts";
import { nearestName } from "../validation.ts";
import { helpText } from "./help.ts";
import { type Command, COMMANDS, isCommand, type OptionRow, OPTIONS } from "./options_table.ts";

/** A mistake in the command line. The message is one line and says how to correct it. */
export class UsageError extends Error {
  /** `"UsageError"`. */
  override readonly name = "UsageError";
}

/** The options that `connect` and `probe` share. Certificates are still paths of files. */
export interface Reach {
  /** The URL. */
  readonly url: string;
  /** Header fields to send. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Subprotocols to offer. */
  readonly subprotocols: readonly string[];
  /** The origin to send. */
  readonly origin: string | undefined;
  /** The URL of a proxy, or `"env"`. */
  readonly proxy: string | undefined;
  /** How many redirects to follow. */
  readonly maxRedirects: number;
  /** The path of the certificates to trust. */
  readonly ca: string | undefined;
  /** Whether to accept any certificate. */
  readonly insecure: boolean;
  /** The paths of a certificate and its key. */
  readonly identity: Identity | undefined;
  /** How long a handshake may take, in milliseconds. */
  readonly timeout: number;
  /** Whether to print JSON. */
  readonly json: boolean;
}

/** The paths of a certificate and its key. */
export interface Identity {
  /** The path of the certificate chain. */
  readonly cert: string;
  /** The path of the private key. */
  readonly key: string;
}

/** The parsed options of `connect`. */
export interface ConnectPlan extends Reach {
  readonly command: "connect";
  /** The version to speak. */
  readonly version: WebSocketVersion;
  /** Whether to offer permessage-deflate. */
  readonly compress: boolean;
  /** Messages to send before the input. */
  readonly send: readonly string[];
  /** Whether the lines `/ping` and `/close` are commands. */
  readonly slash: boolean;
  /** Close after this many received messages. */
  readonly count: number;
  /** After the input has ended: close after this time without a message, in milliseconds. */
  readonly wait: number;
}

/** The parsed options of `probe`. */
export interface ProbePlan extends Reach {
  readonly command: "probe";
  /** The versions to try. */
  readonly versions: readonly WebSocketVersion[];
}

/** The parsed options of `serve`. */
export interface ServePlan {
  readonly command: "serve";
  /** The port. */
  readonly port: number;
  /** The address. */
  readonly host: string;
  /** The versions to speak. */
  readonly versions: readonly WebSocketVersion[];
  /** The subprotocols to accept. */
  readonly subprotocols: readonly string[];
  /** The paths of the certificate and its key; `undefined` for plain TCP. */
  readonly identity: Identity | undefined;
  /** Whether to print JSON. */
  readonly json: boolean;
}

/** The parsed command line. */
export type Plan = ConnectPlan | ProbePlan | ServePlan | {
  readonly command: "help";
  /** The text to print. */
  readonly text: string;
};

/**
 * Parses the arguments.
 *
 * @param args The arguments after the program's name.
 * @throws {UsageError} If they are wrong.
 */
export function parseArguments(args: readonly string[]): Plan {
  const [command, ...rest] = args;
  if (command === undefined || command === "--help" || command === "-h" || command === "help") {
    return { command: "help", text: helpText(isCommand(rest[0]) ? rest[0] : undefined) };
  }
  if (!isCommand(command)) {
    throw new UsageError(
      `unknown command ${JSON.stringify(command)}${meant(command, Object.keys(COMMANDS), "")}; ` +
        `the commands are ${Object.keys(COMMANDS).join(", ")}`,
    );
  }
  const given = new GivenOptions(command, rest);
  if (given.has("help")) return { command: "help", text: helpText(command) };
  if (command === "serve") return servePlan(given);
  return command === "connect" ? connectPlan(given) : probePlan(given);
}

function meant(name: string, known: readonly string[], prefix: string): string {
  const near = nearestName(name, known);
  return near === undefined ? "" : `; did you mean ${prefix}${near}?`;
}

/** The options and positional arguments of a command line. */
class GivenOptions {
  readonly #command: Command;
  readonly #values: Map<string, string[]> = new Map();
  readonly #positionals: string[] = [];

  constructor(command: Command, args: readonly string[]) {
    this.#command = command;
    const left = [...args];
    for (let arg = left.shift(); arg !== undefined; arg = left.shift()) {
      if (arg === "--") this.#positionals.push(...left.splice(0));
      else if (arg.startsWith("-") && arg !== "-") this.#take(arg, left);
      else this.#positionals.push(arg);
    }
  }

  /** Stores an option and its value. May remove the value from `left`. */
  #take(arg: string, left: string[]): void {
    const [, name = "", inline] = /^--([^=]*)(?:=([^]*))?$/.exec(arg) ?? [];
    const row = OPTIONS[this.#command].find((one) =>
      arg.startsWith("--") ? one.name === name : `-${one.letter}` === arg
    );
    if (row === undefined) throw this.#unknown(arg, name);
    const { name: known, value, repeats = false } = row;
    const values = this.#values.get(known) ?? [];
    if (values.length > 0 && !repeats) throw this.error(`--${known} must not be repeated`);
    values.push(this.#valueOf(row, inline, left));
    if (value === undefined && inline !== undefined) {
      throw this.error(`--${known} takes no value, got ${JSON.stringify(inline)}`);
    }
    this.#values.set(known, values);
  }

  #valueOf({ name, value }: OptionRow, inline: string | undefined, left: string[]): string {
    if (value === undefined) return "";
    const given = inline ?? left.shift();
    if (given === undefined) throw this.error(`--${name} needs a value: --${name} ${value}`);
    return given;
  }

  #unknown(arg: string, name: string): UsageError {
    const known = OPTIONS[this.#command].map((row) => row.name);
    return this.error(`unknown option ${arg.split("=")[0]}${meant(name, known, "--")}`);
  }

  /** Makes an error that points to `--help`. */
  error(because: string): UsageError {
    return new UsageError(`${because}; see waterspout ${this.#command} --help`);
  }

  /** Returns whether an option was given. */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** Returns all values of an option. */
  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** Returns the value of an option. Rejects `""`, which often comes from an unset variable. */
  one(name: string): string | undefined {
    const [value] = this.all(name);
    if (value === "") throw this.error(`--${name} must not be empty`);
    return value;
  }

  /** Returns the value of an option as a number. */
  number(name: string, { otherwise, least, unit }: NumberKind): number {
    const text = this.one(name);
    if (text === undefined) return otherwise;
    const value = Number(text);
    const isRight = unit === "seconds" ? Number.isFinite(value) : Number.isSafeInteger(value);
    if (!isRight || value < least || text.trim() === "") {
      const kind = unit === "seconds" ? "a number of seconds" : "an integer";
      throw this.error(`--${name} must be ${kind} from ${least}, got ${JSON.stringify(text)}`);
    }
    return value;
  }

  /** Returns the versions that were given. */
  versions(): readonly WebSocketVersion[] {
    return this.all("version").map((text) => {
      const name = NUMBERS[text] ?? text;
      const version = WEBSOCKET_VERSIONS.find((known) => known === name);
      if (version !== undefined) return version;
      throw this.error(
        `--version must be one of ${WEBSOCKET_VERSIONS.join(", ")}, got ${JSON.stringify(text)}`,
      );
    });
  }

  /** Returns the only positional argument. */
  url(): string {
    const [url, ...others] = this.#positionals;
    if (url === undefined) throw this.error(`${this.#command} needs a URL such as ws://host/path`);
    if (others.length > 0) throw this.#tooMany(others);
    if (url.includes("://")) return url;
    throw this.error(`${JSON.stringify(url)} is no URL; did you mean ws://${url}?`);
  }

  /** Checks that there is no positional argument. */
  noPositionals(): void {
    if (this.#positionals.length > 0) throw this.#tooMany(this.#positionals);
  }

  #tooMany(others: readonly string[]): UsageError {
    return this.error(`unexpected argument ${JSON.stringify(others[0])}`);
  }

  /** Returns the certificate and its key. */
  identity(): Identity | undefined {
    const [cert, key] = [this.one("cert"), this.one("key")];
    if (cert === undefined && key === undefined) return undefined;
    if (cert !== undefined && key !== undefined) return { cert, key };
    throw this.error(
      `expected both --cert and --key, got only --${cert === undefined ? "key" : "cert"}`,
    );
  }

  /** Returns the header fields. */
  headers(): [name: string, value: string][] {
    return this.all("header").map((line) => {
      const colon = line.indexOf(":");
      if (colon > 0) return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
      throw this.error(`--header must be 'Name: value', got ${JSON.stringify(line)}`);
    });
  }
}

/** The default, the minimum and the unit of a number. */
interface NumberKind {
  readonly otherwise: number;
  readonly least: number;
  readonly unit: "seconds" | "count";
}

/** Versions by the number in `Sec-WebSocket-Version`. */
const NUMBERS: Readonly<Record<string, WebSocketVersion | undefined>> = {
  "13": "rfc6455",
  "8": "hybi-08",
  "7": "hybi-07",
  "76": "draft76",
  "75": "draft75",
};

function reach(given: GivenOptions, timeout: number): Reach {
  return {
    url: given.url(),
    headers: given.headers(),
    subprotocols: given.all("subprotocol"),
    origin: given.one("origin"),
    proxy: given.one("proxy"),
    maxRedirects: given.number("max-redirects", { otherwise: 0, least: 0, unit: "count" }),
    ca: given.one("ca"),
    insecure: given.has("insecure"),
    identity: given.identity(),
    timeout: milliseconds(
      given.number("timeout", { otherwise: timeout, least: 0, unit: "seconds" }),
    ),
    json: given.has("json"),
  };
}

function milliseconds(seconds: number): number {
  return Math.round(seconds * 1000);
}

function connectPlan(given: GivenOptions): ConnectPlan {
  const [version = "rfc6455"] = given.versions();
  return {
    command: "connect",
    ...reach(given, 10),
    version,
    compress: given.has("compress"),
    send: given.all("send"),
    slash: given.has("slash"),
    count: given.number("count", { otherwise: Infinity, least: 1, unit: "count" }),
    wait: given.one("wait") === "forever" ? Infinity : milliseconds(
      given.number("wait", { otherwise: 1, least: 0, unit: "seconds" }),
    ),
  };
}

function probePlan(given: GivenOptions): ProbePlan {
  return { command: "probe", ...reach(given, 3), versions: orAll(given.versions()) };
}

function servePlan(given: GivenOptions): ServePlan {
  given.noPositionals();
  return {
    command: "serve",
    port: given.number("port", { otherwise: 8888, least: 0, unit: "count" }),
    host: given.one("host") ?? "127.0.0.1",
    versions: orAll(given.versions()),
    subprotocols: given.all("subprotocol"),
    identity: given.identity(),
    json: given.has("json"),
  };
}

function orAll(versions: readonly WebSocketVersion[]): readonly WebSocketVersion[] {
  return versions.length === 0 ? WEBSOCKET_VERSIONS : versions;
}
