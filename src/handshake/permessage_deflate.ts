/**
 * The negotiation of permessage-deflate (RFC 7692 §7.1).
 *
 * @module
 */
import type { ExtensionOffer, ExtensionParameter } from "./extensions.ts";

/** What this end wants. */
export interface DeflateOptions {
  /** Whether the windows may be kept from one message to the next, in both directions. */
  readonly contextTakeover: boolean;
  /** The largest window that this end compresses with, as a power of two from 9 to 15. */
  readonly serverMaxWindowBits?: number | undefined;
  /**
   * The largest window that the client is asked to compress with, as a power of two from 8 to 15. A
   * client that does not offer to be asked compresses with 15.
   */
  readonly clientMaxWindowBits?: number | undefined;
}

/** What was agreed on. */
export interface DeflateAgreement {
  /** The value of `Sec-WebSocket-Extensions` that says so. */
  readonly response: string;
  /** Whether this end compresses each message with an empty window. */
  readonly serverNoContextTakeover: boolean;
  /** Whether the client does. */
  readonly clientNoContextTakeover: boolean;
  /** The window that this end compresses with. */
  readonly serverMaxWindowBits: number;
  /** The window that this end needs to inflate the client's messages. */
  readonly clientMaxWindowBits: number;
}

/** The parameters of one offer that is valid. */
interface DeflateOffer {
  serverNoContextTakeover: boolean;
  clientNoContextTakeover: boolean;
  /** `undefined` if the client does not ask for a smaller window. */
  serverMaxWindowBits: number | undefined;
  /** `undefined` if the client can't be asked for a smaller window. */
  clientMaxWindowBits: number | undefined;
}

const SMALLEST_WINDOW = 8;
const LARGEST_WINDOW = 15;
/** zlib compresses with 9 when it is told 8, and that a peer with a window of 8 can't inflate. */
const SMALLEST_SERVER_WINDOW = 9;
/** 8 to 15, "a decimal integer value without leading zeroes" (§7.1.2). */
const WINDOW_BITS = /^(?:[89]|1[0-5])$/;

/**
 * Chooses the first offer of permessage-deflate that can be accepted. One that is invalid is
 * declined alone (§7.1): the next one, or none, is then taken.
 *
 * @param offers The client's, in its order of preference.
 * @returns `undefined` if none can be accepted: the connection goes on without compression.
 * @throws {RangeError} If `options` has a window that can't be.
 */
export function negotiateDeflate(
  offers: readonly ExtensionOffer[],
  options: DeflateOptions,
): DeflateAgreement | undefined {
  checkOptions(options);
  for (const { name, parameters } of offers) {
    if (name !== "permessage-deflate") continue;
    const offer = parseOffer(parameters);
    if (offer !== undefined && isWindow(offer.serverMaxWindowBits, SMALLEST_SERVER_WINDOW)) {
      return accept(offer, options);
    }
  }
  return undefined;
}

function checkOptions({ serverMaxWindowBits, clientMaxWindowBits }: DeflateOptions): void {
  if (!isWindow(serverMaxWindowBits, SMALLEST_SERVER_WINDOW)) {
    throw new RangeError(`Cannot compress with ${serverMaxWindowBits} window bits: not 9 to 15`);
  }
  if (!isWindow(clientMaxWindowBits, SMALLEST_WINDOW)) {
    throw new RangeError(`Cannot ask for ${clientMaxWindowBits} window bits: not 8 to 15`);
  }
}

function isWindow(bits: number = LARGEST_WINDOW, smallest: number): boolean {
  return Number.isInteger(bits) && bits >= smallest && bits <= LARGEST_WINDOW;
}

/** `undefined` if a parameter is unknown, sent twice or has a value that it can't have (§7.1). */
function parseOffer(parameters: readonly ExtensionParameter[]): DeflateOffer | undefined {
  const offer: DeflateOffer = {
    serverNoContextTakeover: false,
    clientNoContextTakeover: false,
    serverMaxWindowBits: undefined,
    clientMaxWindowBits: undefined,
  };
  const seen = new Set<string>();
  for (const parameter of parameters) {
    if (seen.has(parameter.name) || !applyParameter(offer, parameter)) return undefined;
    seen.add(parameter.name);
  }
  return offer;
}

/** Whether the parameter is valid; then it is in the offer. */
function applyParameter(offer: DeflateOffer, { name, value }: ExtensionParameter): boolean {
  switch (name) {
    case "server_no_context_takeover":
      offer.serverNoContextTakeover = true;
      return value === undefined;
    case "client_no_context_takeover":
      offer.clientNoContextTakeover = true;
      return value === undefined;
    case "server_max_window_bits":
      offer.serverMaxWindowBits = Number(value);
      return value !== undefined && WINDOW_BITS.test(value);
    case "client_max_window_bits":
      offer.clientMaxWindowBits = Number(value ?? LARGEST_WINDOW);
      return value === undefined || WINDOW_BITS.test(value);
    default:
      return false;
  }
}

function accept(offer: DeflateOffer, options: DeflateOptions): DeflateAgreement {
  const serverNoContextTakeover = offer.serverNoContextTakeover || !options.contextTakeover;
  const clientNoContextTakeover = offer.clientNoContextTakeover || !options.contextTakeover;
  const serverMaxWindowBits = Math.min(
    offer.serverMaxWindowBits ?? LARGEST_WINDOW,
    options.serverMaxWindowBits ?? LARGEST_WINDOW,
  );
  // An answer "MUST NOT" have client_max_window_bits unless the offer has it (§7.1.2.2).
  const clientMaxWindowBits = offer.clientMaxWindowBits === undefined
    ? LARGEST_WINDOW
    : Math.min(offer.clientMaxWindowBits, options.clientMaxWindowBits ?? LARGEST_WINDOW);
  let response = "permessage-deflate";
  if (serverNoContextTakeover) response += "; server_no_context_takeover";
  if (clientNoContextTakeover) response += "; client_no_context_takeover";
  // Accepting an offer with this parameter means to answer it (§7.1.2.1).
  if (offer.serverMaxWindowBits !== undefined || serverMaxWindowBits < LARGEST_WINDOW) {
    response += `; server_max_window_bits=${serverMaxWindowBits}`;
  }
  if (clientMaxWindowBits < LARGEST_WINDOW) {
    response += `; client_max_window_bits=${clientMaxWindowBits}`;
  }
  return {
    response,
    serverNoContextTakeover,
    clientNoContextTakeover,
    serverMaxWindowBits,
    clientMaxWindowBits,
  };
}
