import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { parseExtensions } from "../../src/handshake/extensions.ts";
import {
  type AcceptedOffer,
  type DeflateOptions,
  negotiateDeflate,
} from "../../src/handshake/permessage_deflate.ts";
import { DEFLATE_OFFERS } from "./deflate_offers.ts";

const KEEP: DeflateOptions = { contextTakeover: true };
const FORGET: DeflateOptions = { contextTakeover: false };

/** The response without the extension's name; `undefined` if the offer is declined. */
function answer(offer: string, options: DeflateOptions): string | undefined {
  const agreement = negotiateDeflate(parseExtensions(offer), options);
  if (agreement === undefined) return undefined;
  assertAgrees(agreement);
  return agreement.response.replace(/^permessage-deflate(?:; )?/, "");
}

/** Checks the agreement against the response. Only the client's window may come from the offer. */
function assertAgrees(agreement: AcceptedOffer): void {
  const [{ name, parameters } = { name: "", parameters: [] }] = parseExtensions(agreement.response);
  const values = new Map(parameters.map(({ name, value }) => [name, value]));
  assertEquals(name, "permessage-deflate");
  assertEquals(values.has("server_no_context_takeover"), agreement.serverNoContextTakeover);
  assertEquals(values.has("client_no_context_takeover"), agreement.clientNoContextTakeover);
  assertEquals(Number(values.get("server_max_window_bits") ?? 15), agreement.serverMaxWindowBits);
  assertEquals(Number(values.get("client_max_window_bits") ?? 15), agreement.clientMaxWindowBits);
}

describe("the negotiation of permessage-deflate (RFC 7692 §7.1)", () => {
  for (const [offer, keep, forget] of DEFLATE_OFFERS) {
    test(JSON.stringify(offer), () => {
      assertEquals(answer(offer, KEEP), keep);
      assertEquals(answer(offer, FORGET), forget);
    });
  }
});
