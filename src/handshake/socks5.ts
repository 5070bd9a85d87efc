/**
 * The request for a tunnel through a SOCKS5 proxy (RFC 1928), with a user name and password
 * (RFC 1929). The proxy resolves names. No I/O.
 *
 * @module
 */
import type { TunnelHandshake } from "../transport/transport.ts";
import { canonicalAddress } from "./ip_address.ts";
import { parseNetwork } from "./ip_network.ts";
import type { TunnelTarget } from "./proxy_connect.ts";
import { ProxyError } from "./proxy_error.ts";
import type { ProxyCredentials } from "./proxy_url.ts";

/** The version of the protocol, in each message except those of RFC 1929. */
const VERSION = 5;
/** The version of the messages of RFC 1929. */
const AUTHENTICATION_VERSION = 1;

/** Methods of authentication (RFC 1928 §3). */
const NO_AUTHENTICATION = 0x00;
const USERNAME_PASSWORD = 0x02;
const NO_ACCEPTABLE_METHOD = 0xff;

const CONNECT = 1;
const SUCCEEDED = 0;

/** Types of addresses (RFC 1928 §5). */
const IPV4 = 1;
const DOMAIN_NAME = 3;
const IPV6 = 4;

/** The longest name, in bytes. Its length is one byte. */
const MAX_NAME = 255;

/** The reply codes of a proxy (RFC 1928 §6). */
const REPLIES: Readonly<Record<number, string>> = {
  1: "general SOCKS server failure",
  2: "connection not allowed by ruleset",
  3: "Network unreachable",
  4: "Host unreachable",
  5: "Connection refused",
  6: "TTL expired",
  7: "Command not supported",
  8: "Address type not supported",
};

/**
 * - `method`: waiting for the method of authentication
 * - `status`: waiting for the result of the authentication
 * - `reply`: waiting for the reply to the request
 * - `address`: waiting for the address in the reply
 * - `open`
 */
type State = "method" | "status" | "reply" | "address" | "open";

/** One request for a tunnel. */
export class Socks5Connect implements TunnelHandshake {
  /** See {@linkcode TunnelHandshake.request}. */
  readonly request: Uint8Array;
  /** See {@linkcode TunnelHandshake.consumed}. */
  consumed = 0;
  readonly #target: Uint8Array;
  readonly #credentials: ProxyCredentials | undefined;
  #state: State = "method";
  /** The received bytes of the next message. */
  #received: number[] = [];

  /**
   * @param target The target of the tunnel.
   * @param credentials The credentials; `undefined` for none.
   * @throws {TypeError} If the name of the target is too long.
   */
  constructor(target: TunnelTarget, credentials?: ProxyCredentials) {
    const methods = [NO_AUTHENTICATION, ...(credentials === undefined ? [] : [USERNAME_PASSWORD])];
    this.request = Uint8Array.of(VERSION, methods.length, ...methods);
    this.#target = connectRequest(target);
    this.#credentials = credentials;
  }

  /** See {@linkcode TunnelHandshake.read}. @throws {ProxyError} If the proxy opens no tunnel. */
  read(chunk: Uint8Array): Uint8Array | "open" | undefined {
    this.consumed = 0;
    while (this.#state !== "open") {
      const part = chunk.subarray(this.consumed, this.consumed + this.#missing());
      this.#received.push(...part);
      this.consumed += part.length;
      if (this.#missing() > 0) return undefined;
      const answer = this.#next();
      if (answer !== undefined) return answer;
    }
    return "open";
  }

  /** Returns how many more bytes are needed to go on. */
  #missing(): number {
    const needed = this.#state === "address" ? replyLength(this.#received) : 2;
    return needed - this.#received.length;
  }

  /** Handles a message. Returns what to send. */
  #next(): Uint8Array | undefined {
    const [version = 0, value = 0] = this.#received;
    switch (this.#state) {
      case "method":
        checkVersion(version, VERSION, "RFC 1928 §3");
        this.#received = [];
        return this.#authenticate(value);
      case "status":
        checkVersion(version, AUTHENTICATION_VERSION, "RFC 1929 §2");
        if (value !== SUCCEEDED) throw refusedCredentials(value);
        this.#received = [];
        return this.#ask();
      case "reply":
        checkVersion(version, VERSION, "RFC 1928 §6");
        if (value !== SUCCEEDED) throw refusal(value);
        this.#state = "address";
        return undefined;
      default:
        this.#state = "open";
        return undefined;
    }
  }

  #authenticate(method: number): Uint8Array {
    if (method === NO_AUTHENTICATION) return this.#ask();
    if (method === USERNAME_PASSWORD && this.#credentials !== undefined) {
      this.#state = "status";
      return authenticationRequest(this.#credentials);
    }
    const offered = this.#credentials === undefined
      ? "no authentication"
      : "no authentication, and a user name and password";
    throw new ProxyError(
      `the proxy must accept one of the offered methods (${offered}), ` +
        `got method ${hex(method)} (RFC 1928 §3)`,
      { refusesCredentials: method === NO_ACCEPTABLE_METHOD },
    );
  }

  #ask(): Uint8Array {
    this.#state = "reply";
    return this.#target;
  }
}

/**
 * Returns the length of a reply, which depends on the type of its address.
 *
 * @throws {ProxyError} If the type is unknown.
 */
function replyLength(reply: readonly number[]): number {
  const [, , , type, length] = reply;
  // The shortest reply is longer than this.
  if (type === undefined || length === undefined) return 5;
  if (type === IPV4) return 10;
  if (type === IPV6) return 22;
  if (type === DOMAIN_NAME) return 7 + length;
  throw new ProxyError(
    `the address type must be 0x01, 0x03 or 0x04, got ${hex(type)} (RFC 1928 §5)`,
  );
}

function checkVersion(version: number, expected: number, section: string): void {
  if (version === expected) return;
  throw new ProxyError(`the version must be ${hex(expected)}, got ${hex(version)} (${section})`);
}

function refusedCredentials(status: number): ProxyError {
  return new ProxyError(
    `the proxy refused the user name and password with status ${hex(status)} (RFC 1929 §2)`,
    { refusesCredentials: true },
  );
}

function refusal(reply: number): ProxyError {
  const words = REPLIES[reply] ?? "unassigned";
  return new ProxyError(`the reply must be 0x00, got ${hex(reply)}: ${words} (RFC 1928 §6)`);
}

function connectRequest({ hostname, port }: TunnelTarget): Uint8Array {
  return Uint8Array.of(VERSION, CONNECT, 0, ...addressOf(hostname), port >> 8, port & 0xff);
}

function addressOf(hostname: string): number[] {
  const address = canonicalAddress(hostname);
  if (address !== undefined) {
    const bits = parseNetwork(address)?.bits ?? "";
    const bytes = bits.match(/.{8}/g)?.map((byte) => parseInt(byte, 2)) ?? [];
    return [bytes.length === 4 ? IPV4 : IPV6, ...bytes];
  }
  const name = new TextEncoder().encode(hostname);
  if (name.length > MAX_NAME) {
    throw new TypeError(
      `Cannot connect through SOCKS5: the name of the host must have at most ${MAX_NAME} bytes, ` +
        `got ${name.length} (RFC 1928 §5)`,
    );
  }
  return [DOMAIN_NAME, name.length, ...name];
}

function authenticationRequest({ username, password }: ProxyCredentials): Uint8Array {
  const fields = [username, password].flatMap((text) => {
    const bytes = new TextEncoder().encode(text);
    return [bytes.length, ...bytes];
  });
  return Uint8Array.of(AUTHENTICATION_VERSION, ...fields);
}

function hex(byte: number): string {
  return `0x${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}
