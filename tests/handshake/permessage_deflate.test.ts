import { assertEquals, assertThrows } from "@std/assert";
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

/** What is answered, without the name of the extension; `undefined` if the offer is declined. */
function answer(offer: string, options: DeflateOptions): string | undefined {
  const agreement = negotiateDeflate(parseExtensions(offer), options);
  if (agreement === undefined) return undefined;
  assertAgrees(agreement);
  return agreement.response.replace(/^permessage-deflate(?:; )?/, "");
}

/** The answer says what the agreement is; only the client's window may be known from the offer. */
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

describe("this end's windows", () => {
  const options = { ...KEEP, serverMaxWindowBits: 11, clientMaxWindowBits: 10 };
  const rows: [offer: string, answer: string][] = [
    ["permessage-deflate", "server_max_window_bits=11"],
    [
      "permessage-deflate; client_max_window_bits",
      "server_max_window_bits=11; client_max_window_bits=10",
    ],
    [
      "permessage-deflate; client_max_window_bits=9; server_max_window_bits=10",
      "server_max_window_bits=10; client_max_window_bits=9",
    ],
    [
      "permessage-deflate; client_max_window_bits=12; server_max_window_bits=12",
      "server_max_window_bits=11; client_max_window_bits=10",
    ],
  ];
  for (const [offer, expected] of rows) {
    test(offer, () => assertEquals(answer(offer, options), expected));
  }

  test("have 9 to 15 bits, and 8 to 15 bits", () => {
    const offers = parseExtensions("permessage-deflate; client_max_window_bits");
    const negotiate = (windows: Partial<DeflateOptions>) => () =>
      negotiateDeflate(offers, { ...KEEP, ...windows });
    for (const bits of [8, 16, 9.5, NaN]) {
      assertThrows(
        negotiate({ serverMaxWindowBits: bits }),
        RangeError,
        `serverMaxWindowBits must be an integer from 9 to 15, got ${bits}`,
      );
    }
    for (const bits of [7, 16, 8.5, NaN]) {
      assertThrows(
        negotiate({ clientMaxWindowBits: bits }),
        RangeError,
        `from 8 to 15, got ${bits}`,
      );
    }
    for (const bits of [9, 15]) negotiate({ serverMaxWindowBits: bits, clientMaxWindowBits: 8 })();
  });
});
