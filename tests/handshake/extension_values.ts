/**
 * Random values of `Sec-WebSocket-Extensions`, for tests and for `task fuzz`.
 *
 * @module
 */
import { HttpError } from "../../src/errors.ts";
import { parseExtensions } from "../../src/handshake/extensions.ts";
import { negotiateDeflate } from "../../src/handshake/permessage_deflate.ts";
import { below, type Random } from "./changed_requests.ts";

const PIECES = [
  ...["permessage-deflate", "a", "client_max_window_bits", "=", ";", ",", " ", "\t"],
  ...['"', "\\", "8", "15", "\xe9", "server_max_window_bits=9", '"1\\0"', "\0"],
];

/**
 * Tries a value of random pieces of the grammar.
 *
 * @returns Whether it was parsed.
 * @throws {Error} If it was neither parsed nor refused.
 */
export function tryExtensions(next: Random): boolean {
  const value = Array.from({ length: below(next, 8) }, () => PIECES[below(next, PIECES.length)])
    .join("");
  try {
    negotiateDeflate(parseExtensions(value), { contextTakeover: false });
    return true;
  } catch (error) {
    if (error instanceof HttpError) return false;
    throw new Error(`${JSON.stringify(value)}: ${error}`, { cause: error });
  }
}
