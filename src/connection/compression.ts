/**
 * From what a handler asks for and a client offers to what both do: permessage-deflate.
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
 * How permessage-deflate (RFC 7692) is used where a client offers it.
 *
 * @example
 * ```ts
 * import { Application } from "@waterspout/websocket";
 *
 * const app = new Application([], { compression: { level: 3, threshold: 256 } });
 * console.assert(app.settings.compression?.level === 3);
 * ```
 */
export interface CompressionOptions {
  /** zlib's level, 1 (fast) to 9 (small); 6 unless told (Tornado's `compression_level`). */
  readonly level?: number;
  /** zlib's memory level, 1 to 9; 8 unless told (Tornado's `mem_level`). */
  readonly memLevel?: number;
  /** The shortest message that is compressed, in bytes; 1024 unless told. */
  readonly threshold?: number;
  /**
   * Whether the window lives on from one message to the next: better ratios, for memory per
   * connection: 250 KiB after short messages, up to 430 KiB once both windows are full. Default: off.
   */
  readonly contextTakeover?: boolean;
}

/** What a server responds with, and what it does then. */
export interface AgreedDeflate {
  /** The value of `Sec-WebSocket-Extensions`. */
  readonly response: string;
  /** For the protocol. */
  readonly parameters: DeflateParameters;
}

const LEVEL: Kind = {
  expected: "an integer from 1 to 9",
  hasType: (value) => typeof value === "number",
  inRange: (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 9,
};

const COMPRESSION_KINDS: Readonly<Record<keyof CompressionOptions, Kind>> = {
  level: LEVEL,
  memLevel: LEVEL,
  threshold: SIZE,
  contextTakeover: BOOLEAN,
};

/**
 * Checks how to compress.
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

/** zlib's own defaults, and a size below which a frame hardly shrinks. */
const DEFAULTS = { level: 6, memLevel: 8, threshold: 1024 } as const;

/** How much of its own an end spends on compressing. */
export type CompressorOptions = Pick<DeflateParameters, "level" | "memLevel" | "threshold">;

/** What is not negotiated. @throws {RangeError} If an option is out of its range. */
export function resolveCompressorOptions(options: CompressionOptions): CompressorOptions {
  checkCompression(options);
  const {
    level = DEFAULTS.level,
    memLevel = DEFAULTS.memLevel,
    threshold = DEFAULTS.threshold,
  } = options;
  return { level, memLevel, threshold };
}

/**
 * Agrees on the first offer that can be met.
 *
 * @returns `undefined` if there is none: the connection goes on without compression.
 * @throws {RangeError} If an option is out of its range.
 */
export function agreeOnDeflate(
  offers: readonly ExtensionOffer[],
  options: CompressionOptions,
): AgreedDeflate | undefined {
  const compressorOptions = resolveCompressorOptions(options);
  if (!canCompress()) return undefined;
  const contextTakeover = options.contextTakeover === true;
  const agreement = negotiateDeflate(offers, { contextTakeover });
  if (agreement === undefined) return undefined;
  const { response } = agreement;
  return { response, parameters: deflateParameters("server", agreement, compressorOptions) };
}

/** What a client offers, of options that are checked; `undefined` if it offers nothing. */
export function offerDeflate(
  options: CompressionOptions | undefined,
): Pick<DeflateOptions, "contextTakeover"> | undefined {
  if (options === undefined || !canCompress()) return undefined;
  return { contextTakeover: options.contextTakeover === true };
}

/** What an end does of what both have agreed on. */
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
    ...compressorOptions,
  };
}
