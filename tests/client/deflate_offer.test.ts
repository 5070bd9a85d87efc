import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { describe, test } from "node:test";
import { agreeOnExtensions, DeflateOffer } from "../../src/client/deflate_offer.ts";
import { ProtocolError, websocketConnect } from "../../src/client/mod.ts";
import { memoryPair } from "../../src/transport/memory.ts";
import { Subject, valueOf } from "./support.ts";

const WITHOUT_CONTEXT =
  "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/** An answer to an offer without context, and whether each end keeps none; or why it is refused. */
type Row = readonly [answer: string | undefined, agreed: readonly boolean[] | string | undefined];

const rows: readonly Row[] = [
  [undefined, undefined],
  ["", undefined],
  ["permessage-deflate; server_no_context_takeover", [true, true]],
  [WITHOUT_CONTEXT, [true, true]],
  ["permessage-deflate;server_no_context_takeover;server_max_window_bits=9", [true, true]],
  [`permessage-deflate; server_no_context_takeover; server_max_window_bits="15"`, [true, true]],
  ["permessage-deflate", "must have server_no_context_takeover, as offered (RFC 7692 §7.1.1.1)"],
  ["permessage-deflate; client_no_context_takeover", "must have server_no_context_takeover"],
  [`${WITHOUT_CONTEXT}; client_max_window_bits=15`, `must not have "client_max_window_bits=15"`],
  [`${WITHOUT_CONTEXT}; client_max_window_bits`, `must not have "client_max_window_bits"`],
  [`${WITHOUT_CONTEXT}; server_max_window_bits`, `must not have "server_max_window_bits"`],
  [`${WITHOUT_CONTEXT}; server_max_window_bits=7`, `must not have "server_max_window_bits=7"`],
  [`${WITHOUT_CONTEXT}; server_max_window_bits=16`, "RFC 7692 §7.1"],
  [`${WITHOUT_CONTEXT}; server_max_window_bits=08`, "RFC 7692 §7.1"],
  [`${WITHOUT_CONTEXT}; mystery`, `must not have "mystery"`],
  [`permessage-deflate; server_no_context_takeover=1`, `"server_no_context_takeover=1"`],
  [`${WITHOUT_CONTEXT}; server_no_context_takeover`, "a parameter twice"],
  [`${WITHOUT_CONTEXT}, ${WITHOUT_CONTEXT}`, "must be permessage-deflate, not"],
  ["x-webkit-deflate-frame", `must be permessage-deflate, not "x-webkit-deflate-frame"`],
  ["permessage-deflate;", "must be a list of extensions"],
];

describe("a server answers the offer of permessage-deflate", () => {
  for (const [answer, agreed] of rows) {
    test(`with ${JSON.stringify(answer)}`, () => {
      const offer = new DeflateOffer({});
      assertEquals(offer.value, WITHOUT_CONTEXT);
      if (typeof agreed === "string") {
        const error = assertThrows(() => agreeOnExtensions(answer, offer), ProtocolError, agreed);
        assertStringIncludes(error.message, "Sec-WebSocket-Extensions");
        return;
      }
      const parameters = agreeOnExtensions(answer, offer);
      if (agreed === undefined) assertEquals(parameters, undefined);
      else {
        assert(parameters !== undefined);
        const { sendsWithoutContext, receivesWithoutContext, sendWindowBits } = parameters;
        assertEquals([sendsWithoutContext, receivesWithoutContext], agreed);
        assertEquals(sendWindowBits, 15);
      }
    });
  }

  test("with what context each end keeps, where the offer allows it", () => {
    const offer = new DeflateOffer({ contextTakeover: true });
    if (offer.value === WITHOUT_CONTEXT) return; // This runtime's zlib cannot keep any.
    assertEquals(offer.value, "permessage-deflate");
    const agreed = [
      "permessage-deflate",
      "permessage-deflate; server_no_context_takeover",
      "permessage-deflate; client_no_context_takeover",
      WITHOUT_CONTEXT,
    ].map((answer) => offer.accept(parametersOf(answer))).map((parameters) => [
      parameters.sendsWithoutContext,
      parameters.receivesWithoutContext,
    ]);
    assertEquals(agreed, [[false, false], [false, true], [true, false], [true, true]]);
  });

  test("where nothing was offered", () => {
    assertEquals(agreeOnExtensions(undefined, undefined), undefined);
    assertThrows(
      () => agreeOnExtensions(WITHOUT_CONTEXT, undefined),
      ProtocolError,
      "must not be sent where none was offered",
    );
  });
});

function parametersOf(answer: string): { name: string; value: undefined }[] {
  return answer.split("; ").slice(1).map((name) => ({ name, value: undefined }));
}

describe("the offer of permessage-deflate", () => {
  test("is made where compression is asked for", () => {
    const { request } = new Subject("ws://example.com/", { compression: {} });
    assertEquals(valueOf(request, "Sec-WebSocket-Extensions"), WITHOUT_CONTEXT);
    const { request: plain } = new Subject("ws://example.com/");
    assertEquals(valueOf(plain, "Sec-WebSocket-Extensions"), "");
  });

  test("has options within their ranges", async () => {
    for (const compression of [{ level: 0 }, { memLevel: 10 }, { threshold: -1 }]) {
      const [transport] = memoryPair();
      const connecting = () => websocketConnect("ws://a/", { compression, transport });
      await assertRejects(connecting, RangeError, "Cannot compress: ");
    }
  });
});
