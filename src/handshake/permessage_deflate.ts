/**
 * The negotiation of permessage-deflate (RFC 7692 §7.1): first the server, which accepts an offer, then
 * the client, which makes an offer and checks the response.
 *
 * @module
 */
import { ProtocolError, quote } from "../errors.ts";
import { type ExtensionOffer, type ExtensionParameter, parseExtensionList } from "./extensions.ts";

/** The options of one end. */
export interface DeflateOptions {
  /** Whether a message may use the window of earlier messages, in both directions. */
  readonly contextTakeover: boolean;
  /** The largest window of this end, and of the peer if it can be asked, as a power of two. Default: 15. */
  readonly windowBits?: number;
}

/** The agreement of both ends. */
export interface DeflateAgreement {
  /** Whether each message of the server starts with an empty window. */
  readonly serverNoContextTakeover: boolean;
  /** Whether each message of the client starts with an empty window. */
  readonly clientNoContextTakeover: boolean;
  /** The window of the server, as a power of two. */
  readonly serverMaxWindowBits: number;
  /** The window of the client, as a power of two. */
  readonly clientMaxWindowBits: number;
}

/** An offer that a server has accepted. */
export interface AcceptedOffer extends DeflateAgreement {
  /** The value of `Sec-WebSocket-Extensions` in the response. */
  readonly response: string;
}

const NAME = "permessage-deflate";
const LARGEST_WINDOW = 15;
/** zlib uses 9 instead of 8. A client with a window of 8 could not decompress that. */
const SMALLEST_SERVER_WINDOW = 9;
/** 8 to 15, "a decimal integer value without leading zeroes" (§7.1.2). */
const WINDOW_BITS = /^(?:[89]|1[0-5])$/;

// --- The server -----------------------------------------------------------------------------------

/** The parameters of a valid offer. */
interface DeflateOffer {
  serverNoContextTakeover: boolean;
  clientNoContextTakeover: boolean;
  /** `undefined` if the client does not limit it. */
  serverMaxWindowBits: number | undefined;
  /** `undefined` if the client does not let the server limit it. */
  clientMaxWindowBits: number | undefined;
}

/**
 * Accepts the first valid offer of permessage-deflate (§7.1).
 *
 * @param offers The offers of the client, in order of preference.
 * @returns `undefined` if there is no valid offer. The connection is not compressed then.
 */
export function negotiateDeflate(
  offers: readonly ExtensionOffer[],
  options: DeflateOptions,
): AcceptedOffer | undefined {
  for (const { name, parameters } of offers) {
    if (name !== NAME) continue;
    const offer = parseOffer(parameters);
    if (offer === undefined) continue;
    const { serverMaxWindowBits = LARGEST_WINDOW } = offer;
    if (serverMaxWindowBits >= SMALLEST_SERVER_WINDOW) return accept(offer, options);
  }
  return undefined;
}

/** Returns `undefined` if a parameter is unknown, sent twice, or has an invalid value (§7.1). */
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

/** Adds a parameter to the offer. Returns whether the parameter is valid. */
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

function accept(offer: DeflateOffer, options: DeflateOptions): AcceptedOffer {
  const { contextTakeover, windowBits = LARGEST_WINDOW } = options;
  const serverNoContextTakeover = offer.serverNoContextTakeover || !contextTakeover;
  const clientNoContextTakeover = offer.clientNoContextTakeover || !contextTakeover;
  const serverMaxWindowBits = Math.min(offer.serverMaxWindowBits ?? LARGEST_WINDOW, windowBits);
  // Smaller only if the offer has the parameter. Otherwise it "MUST NOT" be sent (§7.1.2.2).
  const clientMaxWindowBits = offer.clientMaxWindowBits === undefined
    ? LARGEST_WINDOW
    : Math.min(offer.clientMaxWindowBits, windowBits);
  let response = NAME;
  if (serverNoContextTakeover) response += "; server_no_context_takeover";
  if (clientNoContextTakeover) response += "; client_no_context_takeover";
  // If the offer has this parameter, the response must have it too. Otherwise, it may (§7.1.2.1).
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

// --- The client -----------------------------------------------------------------------------------

/**
 * Makes the offer of a client, for `Sec-WebSocket-Extensions`. It does not let the server limit the
 * window of the client: the server could choose 8, which zlib cannot use. The client limits it itself.
 */
export function deflateOffer({ contextTakeover, windowBits }: DeflateOptions): string {
  let offer = NAME;
  if (!contextTakeover) offer += "; server_no_context_takeover; client_no_context_takeover";
  if (limits(windowBits)) offer += `; server_max_window_bits=${windowBits}`;
  return offer;
}

function limits(windowBits: number | undefined): windowBits is number {
  return windowBits !== undefined && windowBits < LARGEST_WINDOW;
}

/**
 * Checks the extensions in a response.
 *
 * @param response The value of `Sec-WebSocket-Extensions`, if there is one.
 * @param offer The options that were offered; `undefined` if nothing was offered.
 * @returns `undefined` if the connection is not compressed.
 * @throws {ProtocolError} If the response has an extension or parameter that was not offered.
 */
export function agreeOnExtensions(
  response: string | undefined,
  offer: DeflateOptions | undefined,
): DeflateAgreement | undefined {
  if (response === undefined) return undefined;
  const extensions = parseExtensionList(response);
  if (extensions === undefined) {
    throw broken(`must be a list of extensions, got ${quote(response)} (RFC 6455 §9.1)`);
  }
  const [extension, ...others] = extensions;
  if (offer === undefined || extension?.name !== NAME || others.length > 0) {
    const rule = offer === undefined
      ? "must not be sent if no extension was offered"
      : `must be ${NAME}`;
    throw broken(`${rule}, got ${quote(response)} (RFC 6455 §4.1)`);
  }
  return agreeOnParameters(extension.parameters, offer);
}

function agreeOnParameters(
  parameters: readonly ExtensionParameter[],
  { contextTakeover, windowBits = LARGEST_WINDOW }: DeflateOptions,
): DeflateAgreement {
  for (const parameter of parameters) {
    // client_max_window_bits is invalid too: it was not offered (§7.1.2.2).
    if (!isAllowed(parameter)) throw broken(`must not have ${show(parameter)} (RFC 7692 §7.1)`);
  }
  const values = new Map(parameters.map(({ name, value }) => [name, value]));
  if (values.size < parameters.length) {
    throw broken("must not have a parameter twice (RFC 7692 §7.1)");
  }
  const serverNoContextTakeover = values.has("server_no_context_takeover");
  if (!contextTakeover && !serverNoContextTakeover) {
    throw broken("must have server_no_context_takeover, as offered (RFC 7692 §7.1.1.1)");
  }
  const serverMaxWindowBits = Number(values.get("server_max_window_bits") ?? LARGEST_WINDOW);
  if (serverMaxWindowBits > windowBits) {
    throw broken(
      `must have server_max_window_bits from 8 to ${windowBits}, as offered (RFC 7692 §7.1.2.1)`,
    );
  }
  return {
    serverNoContextTakeover,
    clientNoContextTakeover: !contextTakeover || values.has("client_no_context_takeover"),
    serverMaxWindowBits,
    clientMaxWindowBits: windowBits,
  };
}

/** Returns whether a response may have a parameter. */
function isAllowed({ name, value }: ExtensionParameter): boolean {
  if (name === "server_max_window_bits") return value !== undefined && WINDOW_BITS.test(value);
  return /^(?:server|client)_no_context_takeover$/.test(name) && value === undefined;
}

function show({ name, value }: ExtensionParameter): string {
  return quote(value === undefined ? name : `${name}=${value}`);
}

function broken(rule: string): ProtocolError {
  return new ProtocolError(1002, `Sec-WebSocket-Extensions ${rule}`);
}
