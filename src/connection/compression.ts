/**
 * The options of permessage-deflate, and the agreement with a client.
 *
 * @module
 */
import type { ExtensionOffer } from "../handshake/extensions.ts";
import {
  type DeflateAgreement,
  type DeflateOptions,
  negotiateDeflate,
} from "../handshake/permessage_deflate.ts";
import { canCompress, type DeflateParameters } from "../protocol/deflate.ts";
import { BOOLEAN, checkOptions, type Kind, SIZE } from "../validation.ts";

/**
 * Options of permessage-deflate (RFC 7692), for clients that offer it.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { Application } from "@waterspout/websocket";
 *
 * const app = new Application([], { compression: { level: 3, threshold: 256 } });
 * assert(app.settings.compression?.level === 3);
 * ```
 */
export interface CompressionOptions {
  /** The level of zlib, 1 (fast) to 9 (small); Tornado's `compression_level`. Default: 6. */
  readonly level?: number;
  /**
   * The memory level of zlib, 1 to 9; Tornado's `mem_level`. Default: `windowBits` − 7, which is 8 for
   * the default window.
   */
  readonly memLevel?: number;
  /** The shortest message that is compressed, in bytes. Default: 1024. */
  readonly threshold?: number;
  /**
   * Whether messages share a compression window. This compresses better, but each connection takes
   * 260 KiB after short messages, and up to 370 KiB once both windows are full. A smaller `windowBits`
   * takes less. Default: `false`.
   */
  readonly contextTakeover?: boolean;
  /**
   * The largest compression window, as a power of two, 9 to 15: 2 ** 15 bytes are 32 KiB. It is that of
   * both ends (`server_max_window_bits` and `client_max_window_bits`), but a client whose offer has no
   * `client_max_window_bits` uses 15. A client asks the server for this window and uses it itself. zlib
   * cannot use 8. Default: 15.
   */
  readonly windowBits?: number;
}

/** The agreement with a client. */
export interface AgreedDeflate {
  /** The value of `Sec-WebSocket-Extensions`. */
  readonly response: string;
  /** The parameters of the protocol. */
  readonly parameters: DeflateParameters;
}

/** Makes the kind of an integer. */
function integer(least: number, most: number): Kind {
  return {
    expected: `an integer from ${least} to ${most}`,
    hasType: (value) => typeof value === "number",
    inRange: (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
  };
}

const LEVEL = integer(1, 9);

const COMPRESSION_KINDS: Readonly<Record<keyof CompressionOptions, Kind>> = {
  level: LEVEL,
  memLevel: LEVEL,
  threshold: SIZE,
  contextTakeover: BOOLEAN,
  windowBits: integer(9, 15),
};

/**
 * Checks the options.
 *
 * @throws {TypeError} If a name is unknown or a value has a wrong type.
 * @throws {RangeError} If a number is out of range.
 */
export function checkCompression(options: CompressionOptions): void {
  checkOptions(options, {
    kinds: COMPRESSION_KINDS,
    noun: "compression option",
    subject: (name) => `Cannot compress: ${name}`,
  });
}

/** The defaults. Below `threshold`, compression saves little. */
const DEFAULTS = { level: 6, threshold: 1024, windowBits: 15 } as const;

/** The options that are not negotiated. */
export type CompressorOptions = Pick<DeflateParameters, "level" | "memLevel" | "threshold">;

/**
 * Returns the options that are not negotiated, checked. @throws {RangeError} If an option is out of
 * its range.
 */
export function resolveCompressorOptions(options: CompressionOptions): CompressorOptions {
  checkCompression(options);
  const {
    level = DEFAULTS.level,
    threshold = DEFAULTS.threshold,
    // zlib's defaults, 15 and 8, and their ratio: a small window needs a small table.
    memLevel = (options.windowBits ?? DEFAULTS.windowBits) - 7,
  } = options;
  return { level, memLevel, threshold };
}

/**
 * Accepts the first offer that can be met.
 *
 * @returns `undefined` if there is none. The connection is not compressed then.
 * @throws {RangeError} If an option is out of its range.
 */
export function agreeOnDeflate(
  offers: readonly ExtensionOffer[],
  options: CompressionOptions,
): AgreedDeflate | undefined {
  const compressorOptions = resolveCompressorOptions(options);
  if (!canCompress()) return undefined;
  const agreement = negotiateDeflate(offers, negotiated(options));
  if (agreement === undefined) return undefined;
  const { response } = agreement;
  return { response, parameters: deflateParameters("server", agreement, compressorOptions) };
}

/** Makes the offer of a client from checked options; `undefined` if it offers nothing. */
export function offerDeflate(
  options: CompressionOptions | undefined,
): DeflateOptions | undefined {
  if (options === undefined || !canCompress()) return undefined;
  return negotiated(options);
}

function negotiated(options: CompressionOptions): DeflateOptions {
  const { contextTakeover = false, windowBits = DEFAULTS.windowBits } = options;
  return { contextTakeover, windowBits };
}

/** Returns the parameters of one end from the agreement of both. */
export function deflateParameters(
  role: "server" | "client",
  agreement: DeflateAgreement,
  compressorOptions: CompressorOptions,
): DeflateParameters {
  const server = {
    withoutContext: agreement.serverNoContextTakeover,
    windowBits: agreement.serverMaxWindowBits,
  };
  const client = {
    withoutContext: agreement.clientNoContextTakeover,
    windowBits: agreement.clientMaxWindowBits,
  };
  const [own, peer] = role === "server" ? [server, client] : [client, server];
  return {
    sendsWithoutContext: own.withoutContext,
    receivesWithoutContext: peer.withoutContext,
    sendWindowBits: own.windowBits,
    receiveWindowBits: peer.windowBits,
    ...compressorOptions,
  };
}
