/**
 * The client's side of the negotiation of permessage-deflate (RFC 7692 §7.1).
 *
 * @module
 */
import { type CompressorOptions, resolveCompressorOptions } from "../connection/compression.ts";
import { HttpError, ProtocolError } from "../errors.ts";
import {
  type ExtensionOffer,
  type ExtensionParameter,
  parseExtensions,
} from "../handshake/extensions.ts";
import { canCompress, type DeflateParameters } from "../protocol/deflate.ts";
import type { CompressionOptions } from "../connection/compression.ts";
import { show } from "./response_head.ts";

const NAME = "permessage-deflate";
const LARGEST_WINDOW = 15;
/** "a decimal integer value without leading zeroes between 8 to 15" (§7.1.2.1). */
const WINDOW_BITS = /^(?:[89]|1[0-5])$/;

/** What a client offers. */
export class DeflateOffer {
  /** The value of `Sec-WebSocket-Extensions`. */
  readonly value: string;
  readonly #compressorOptions: CompressorOptions;
  readonly #keepsContext: boolean;

  /**
   * A window for this end is not offered: zlib cannot compress with the smallest, which a server
   * might then choose.
   *
   * @throws {RangeError} If an option is out of its range.
   */
  constructor(options: CompressionOptions) {
    this.#compressorOptions = resolveCompressorOptions(options);
    this.#keepsContext = options.contextTakeover === true;
    this.value = this.#keepsContext
      ? NAME
      : `${NAME}; server_no_context_takeover; client_no_context_takeover`;
  }

  /** Makes an offer, where there is zlib. @throws {RangeError} If an option is out of its range. */
  static of(options: CompressionOptions | undefined): DeflateOffer | undefined {
    return options === undefined || !canCompress() ? undefined : new DeflateOffer(options);
  }

  /**
   * What the server accepts.
   *
   * @throws {ProtocolError} If it contradicts the offer.
   */
  accept(parameters: readonly ExtensionParameter[]): DeflateParameters {
    const names = parameters.map(({ name }) => name);
    for (const parameter of parameters) {
      // client_max_window_bits is among the unsound: it was not offered (§7.1.2.2).
      if (!isSound(parameter)) {
        throw broken(`must not have ${showParameter(parameter)} (RFC 7692 §7.1)`);
      }
    }
    if (new Set(names).size < names.length) {
      throw broken("must not have a parameter twice (RFC 7692 §7.1)");
    }
    const receivesWithoutContext = names.includes("server_no_context_takeover");
    if (!this.#keepsContext && !receivesWithoutContext) {
      throw broken("must have server_no_context_takeover, as offered (RFC 7692 §7.1.1.1)");
    }
    return {
      sendsWithoutContext: !this.#keepsContext || names.includes("client_no_context_takeover"),
      receivesWithoutContext,
      sendWindowBits: LARGEST_WINDOW,
      ...this.#compressorOptions,
    };
  }
}

function isSound({ name, value }: ExtensionParameter): boolean {
  if (name === "server_max_window_bits") return value !== undefined && WINDOW_BITS.test(value);
  return /^(?:server|client)_no_context_takeover$/.test(name) && value === undefined;
}

function showParameter({ name, value }: ExtensionParameter): string {
  return show(value === undefined ? name : `${name}=${value}`);
}

/**
 * Checks the extensions that a server uses.
 *
 * @param answer The value of `Sec-WebSocket-Extensions`, if it was sent.
 * @param offer What was offered, if anything was.
 * @returns `undefined` if there is no compression.
 * @throws {ProtocolError} If the server uses what was not offered, or contradicts it.
 */
export function agreeOnExtensions(
  answer: string | undefined,
  offer: DeflateOffer | undefined,
): DeflateParameters | undefined {
  const extensions = answer === undefined ? [] : parse(answer);
  const [extension, ...others] = extensions;
  if (extension === undefined) return undefined;
  if (offer === undefined || extension.name !== NAME || others.length > 0) {
    const most = offer === undefined
      ? "must not be sent where none was offered"
      : `must be ${NAME}`;
    throw broken(`${most}, not ${show(answer ?? "")} (RFC 6455 §4.1)`);
  }
  return offer.accept(extension.parameters);
}

function parse(answer: string): readonly ExtensionOffer[] {
  try {
    return parseExtensions(answer);
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    throw broken(`must be a list of extensions, not ${show(answer)} (RFC 6455 §9.1)`);
  }
}

function broken(rule: string): ProtocolError {
  return new ProtocolError(1002, `Sec-WebSocket-Extensions ${rule}`);
}
