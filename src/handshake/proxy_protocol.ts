/**
 * The header of the PROXY protocol, versions 1 and 2, in which a TCP proxy tells whose connection it
 * forwards. Sections are those of HAProxy's `proxy-protocol.txt`.
 *
 * @module
 */
import { ProtocolError, quote } from "../errors.ts";
import type { Address } from "../transport/transport.ts";
import { crc32c } from "./crc32c.ts";
import { canonicalAddress } from "./ip_address.ts";
import { decodeLatin1 } from "./latin1.ts";

/** What a proxy says about a connection. */
export interface ProxyHeader {
  /**
   * The client's address. `undefined` if the proxy itself connects (a health check), or does not know
   * it: then the addresses of the socket count.
   */
  readonly source: Address | undefined;
  /** The address that the client connected to. `undefined` like `source`. */
  readonly destination: Address | undefined;
  /** Whether the client uses TLS to the proxy. `undefined` if the proxy does not say. */
  readonly secure: boolean | undefined;
  /** The protocol that TLS has negotiated (ALPN), such as `"http/1.1"`. */
  readonly alpn: string | undefined;
  /** The host name that the client asked for in TLS (SNI). */
  readonly authority: string | undefined;
}

const NOTHING: ProxyHeader = {
  source: undefined,
  destination: undefined,
  secure: undefined,
  alpn: undefined,
  authority: undefined,
};

/** The first bytes of version 1 (§2.1): `PROXY `. */
const PREFIX_V1: readonly number[] = [0x50, 0x52, 0x4f, 0x58, 0x59, 0x20];
/** The first bytes of version 2 (§2.2). */
const PREFIX_V2: readonly number[] = [
  ...[0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a],
];
/** The longest header of version 1 in bytes, with CRLF (§2.1). */
const MAX_V1 = 107;
/** The length of a header of version 2 without addresses (§2.2). */
const FIXED_V2 = 16;
/** The longest header of version 2: its length has 16 bits. */
const MAX_V2 = FIXED_V2 + 0xffff;

/** What version 2 has in its 14th byte: address family and transport protocol. */
const UNSPEC = 0x00;
const TCP4 = 0x11;
const TCP6 = 0x21;
const UNIX = 0x31;
/** The lengths of the addresses. */
const ADDRESS_LENGTHS: ReadonlyMap<number, number> = new Map([
  [UNSPEC, 0],
  [TCP4, 12],
  [TCP6, 36],
  [UNIX, 216],
]);

/** Types of additional fields (§2.2.1 to §2.2.6). */
const ALPN = 0x01;
const AUTHORITY = 0x02;
const CRC32C = 0x03;
const SSL = 0x20;
/** In the first byte of {@linkcode SSL}: the client uses TLS. */
const CLIENT_SSL = 0x01;
/** The length of {@linkcode SSL} without its own fields. */
const FIXED_SSL = 5;

/** Reads a header that arrives in any pieces. */
export class ProxyHeaderReader {
  /** How many bytes of the last chunk belong to the header, once it is complete. */
  consumed = 0;
  #bytes: Uint8Array = new Uint8Array(FIXED_V2);
  #length = 0;

  /**
   * Reads a chunk.
   *
   * @returns The header; `undefined` until it is complete.
   * @throws {ProtocolError} As soon as the bytes cannot become a valid header.
   */
  read(chunk: Uint8Array): ProxyHeader | undefined {
    const before = this.#length;
    this.#push(chunk.subarray(0, MAX_V2 - before));
    const bytes = this.#bytes.subarray(0, this.#length);
    const isV2 = bytes[0] === PREFIX_V2[0];
    checkPrefix(bytes, isV2 ? PREFIX_V2 : PREFIX_V1);
    const length = isV2 ? lengthV2(bytes) : lengthV1(bytes);
    if (length === undefined || bytes.length < length) return undefined;
    this.consumed = length - before;
    const header = bytes.subarray(0, length);
    return isV2 ? parseV2(header) : parseV1(header);
  }

  #push(chunk: Uint8Array): void {
    const needed = this.#length + chunk.length;
    if (needed > this.#bytes.length) {
      const bytes = new Uint8Array(needed * 2);
      bytes.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = bytes;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = needed;
  }
}

function malformed(because: string, section: string): ProtocolError {
  return new ProtocolError(1002, `${because} (PROXY protocol §${section})`);
}

function checkPrefix(bytes: Uint8Array, prefix: readonly number[]): void {
  const wrong = prefix.findIndex((byte, at) => at < bytes.length && byte !== bytes[at]);
  if (wrong === -1) return;
  const received = quote(decodeLatin1(bytes, 0, wrong + 1));
  throw malformed(`a connection must begin with a PROXY header, got ${received}`, "2");
}

// --- Version 1: a line of text ------------------------------------------------------------------

function lengthV1(bytes: Uint8Array): number | undefined {
  const lineFeed = bytes.subarray(0, MAX_V1).indexOf(0x0a);
  if (lineFeed === -1) {
    if (bytes.length < MAX_V1) return undefined;
    throw malformed(`a header of version 1 must have at most ${MAX_V1} bytes`, "2.1");
  }
  if (bytes[lineFeed - 1] === 0x0d) return lineFeed + 1;
  throw malformed("a header of version 1 must end with CRLF", "2.1");
}

const PORT = /^(?:0|[1-9]\d{0,4})$/;

function parseV1(bytes: Uint8Array): ProxyHeader {
  const line = decodeLatin1(bytes, 0, bytes.length - 2);
  const [, family = "", from = "", to = "", fromPort = "", toPort = "", ...more] = line.split(" ");
  // Whatever follows UNKNOWN is ignored.
  if (family === "UNKNOWN") return NOTHING;
  if (family !== "TCP4" && family !== "TCP6") {
    throw malformed(`the family must be TCP4, TCP6 or UNKNOWN, got ${quote(family)}`, "2.1");
  }
  const source = endpointV1(family, from, fromPort);
  const destination = endpointV1(family, to, toPort);
  if (source === undefined || destination === undefined || more.length > 0) {
    throw malformed(
      `${family} must be followed by two addresses and two ports, got ${quote(line)}`,
      "2.1",
    );
  }
  return { ...NOTHING, source, destination };
}

function endpointV1(family: string, text: string, port: string): Address | undefined {
  const hostname = canonicalAddress(text);
  if (hostname === undefined || text.includes(":") !== (family === "TCP6")) return undefined;
  if (!PORT.test(port) || Number(port) > 0xffff) return undefined;
  return { transport: "tcp", hostname, port: Number(port) };
}

// --- Version 2: binary --------------------------------------------------------------------------

function isLocal(bytes: Uint8Array): boolean {
  return bytes[12] === 0x20;
}

function lengthV2(bytes: Uint8Array): number | undefined {
  const [command, family] = bytes.subarray(12, 14);
  if (command !== undefined) {
    if (command >> 4 !== 2) throw malformed(`the version must be 2, got ${command >> 4}`, "2.2");
    const number = command & 15;
    if (number > 1) throw malformed(`the command must be 0 or 1, got ${number}`, "2.2");
  }
  if (family !== undefined && !isLocal(bytes) && !ADDRESS_LENGTHS.has(family)) {
    const received = `0x${family.toString(16).padStart(2, "0")}`;
    throw malformed(`the family must be TCP, UNIX or UNSPEC, got ${received}`, "2.2");
  }
  if (family === undefined || bytes.length < FIXED_V2) return undefined;
  const length = uint16(bytes, 14);
  const addresses = ADDRESS_LENGTHS.get(family) ?? 0;
  if (!isLocal(bytes) && length < addresses) {
    throw malformed(`the length must be at least ${addresses}, got ${length}`, "2.2");
  }
  return FIXED_V2 + length;
}

function parseV2(bytes: Uint8Array): ProxyHeader {
  // The receiver must ignore what follows LOCAL.
  if (isLocal(bytes)) return NOTHING;
  const [family = UNSPEC] = bytes.subarray(13);
  const at = FIXED_V2 + (ADDRESS_LENGTHS.get(family) ?? 0);
  return { ...addressesV2(bytes, family), ...fieldsV2(bytes, at) };
}

function addressesV2(
  bytes: Uint8Array,
  family: number,
): Pick<ProxyHeader, "source" | "destination"> {
  const tcp = (start: number, end: number, port: number): Address => ({
    transport: "tcp",
    hostname: family === TCP4 ? ipv4(bytes.subarray(start, end)) : ipv6(bytes.subarray(start, end)),
    port: uint16(bytes, port),
  });
  const unix = (start: number): Address => ({
    transport: "unix",
    hostname: pathOf(bytes.subarray(start, start + 108)),
    port: 0,
  });
  switch (family) {
    case TCP4:
      return { source: tcp(16, 20, 24), destination: tcp(20, 24, 26) };
    case TCP6:
      return { source: tcp(16, 32, 48), destination: tcp(32, 48, 50) };
    case UNIX:
      return { source: unix(16), destination: unix(124) };
    default:
      return { source: undefined, destination: undefined };
  }
}

function ipv4(bytes: Uint8Array): string {
  return bytes.join(".");
}

function ipv6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, index) => uint16(bytes, index * 2).toString(16));
  const text = groups.join(":");
  return canonicalAddress(text) ?? text;
}

/** A path ends at the first NUL. */
function pathOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end === -1 ? bytes : bytes.subarray(0, end));
}

// --- Additional fields: type, length, value (§2.2) -----------------------------------------------

interface Field {
  readonly type: number;
  /** Where the value begins. */
  readonly start: number;
  readonly value: Uint8Array;
}

/** Parses the fields from `at` to the end. @throws {ProtocolError} If one exceeds the end. */
function fieldsOf(bytes: Uint8Array, at: number): Field[] {
  const fields: Field[] = [];
  while (at < bytes.length) {
    const start = at + 3;
    const end = start + (start > bytes.length ? 0 : uint16(bytes, at + 1));
    if (end > bytes.length) throw malformed("a field must not exceed the header", "2.2");
    fields.push({ type: bytes[at] ?? 0, start, value: bytes.subarray(start, end) });
    at = end;
  }
  return fields;
}

function fieldsV2(
  bytes: Uint8Array,
  at: number,
): Pick<ProxyHeader, "secure" | "alpn" | "authority"> {
  let { secure, alpn, authority } = NOTHING;
  for (const { type, start, value } of fieldsOf(bytes, at)) {
    if (type === ALPN) alpn = decodeLatin1(value, 0, value.length);
    else if (type === AUTHORITY) authority = utf8(value);
    else if (type === SSL) secure = isSecure(value);
    else if (type === CRC32C) checkChecksum(bytes, start, value);
  }
  return { secure, alpn, authority };
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw malformed("the authority must be UTF-8", "2.2.2");
  }
}

function isSecure(value: Uint8Array): boolean {
  const [client] = value;
  if (client === undefined || value.length < FIXED_SSL) {
    throw malformed(`the field SSL must have ${FIXED_SSL} bytes, got ${value.length}`, "2.2.6");
  }
  fieldsOf(value, FIXED_SSL);
  return (client & CLIENT_SSL) !== 0;
}

/** The checksum is computed with zeros in its own place. */
function checkChecksum(bytes: Uint8Array, start: number, value: Uint8Array): void {
  if (value.length !== 4) {
    throw malformed(`the checksum must have 4 bytes, got ${value.length}`, "2.2.3");
  }
  const zeroed = new Uint8Array(bytes).fill(0, start, start + 4);
  if (crc32c(zeroed) !== new DataView(value.buffer, value.byteOffset).getUint32(0)) {
    throw malformed("the checksum must be the CRC-32C of the header", "2.2.3");
  }
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
