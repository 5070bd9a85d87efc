import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { ProtocolError } from "../../src/errors.ts";
import { agreeOnExtensions, deflateOffer } from "../../src/handshake/permessage_deflate.ts";
import { ClientSubject } from "./client_subject.ts";
import { valueOf } from "./good_server.ts";

const WITHOUT_CONTEXT =
  "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/** A response to an offer without context takeover, and the server's window or the error. */
type Row = readonly [response: string | undefined, agreed: number | string | undefined];

const rows: readonly Row[] = [
  [undefined, undefined],
  ["", "must be a list of extensions"],
  ["permessage-deflate; server_no_context_takeover", 15],
  [WITHOUT_CONTEXT, 15],
  ["permessage-deflate;server_no_context_takeover;server_max_window_bits=9", 9],
  [`permessage-deflate; server_no_context_takeover; server_max_window_bits="15"`, 15],
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
  [`${WITHOUT_CONTEXT}, ${WITHOUT_CONTEXT}`, "must be permessage-deflate, got"],
  ["x-webkit-deflate-frame", `must be permessage-deflate, got "x-webkit-deflate-frame"`],
  ["permessage-deflate;", "must be a list of extensions"],
];

describe("a client that offers permessage-deflate without context", () => {
  for (const [response, agreed] of rows) {
    test(`is answered with ${JSON.stringify(response)}`, () => {
      const offer = { contextTakeover: false };
      assertEquals(deflateOffer(offer), WITHOUT_CONTEXT);
      if (typeof agreed === "string") {
        const error = assertThrows(() => agreeOnExtensions(response, offer), ProtocolError, agreed);
        assertStringIncludes(error.message, "Sec-WebSocket-Extensions");
        return;
      }
      const agreement = agreed && {
        serverNoContextTakeover: true,
        clientNoContextTakeover: true,
        serverMaxWindowBits: agreed,
        clientMaxWindowBits: 15,
      };
      assertEquals(agreeOnExtensions(response, offer), agreement);
    });
  }
});

describe("a client that offers permessage-deflate with context", () => {
  test("keeps it in each direction in which the server allows it", () => {
    const offer = { contextTakeover: true };
    assertEquals(deflateOffer(offer), "permessage-deflate");
    const agreed = [
      "permessage-deflate",
      "permessage-deflate; server_no_context_takeover",
      "permessage-deflate; client_no_context_takeover",
      WITHOUT_CONTEXT,
    ].map((response) => {
      const agreement = agreeOnExtensions(response, offer);
      return [agreement?.clientNoContextTakeover, agreement?.serverNoContextTakeover];
    });
    assertEquals(agreed, [[false, false], [false, true], [true, false], [true, true]]);
  });
});

describe("a client that offers a window of 10 bits", () => {
  const offer = { contextTakeover: true, windowBits: 10 };
  const extra = (bits: number | string) => `permessage-deflate; server_max_window_bits=${bits}`;

  test("asks for it, and uses it itself", () => {
    assertEquals(deflateOffer(offer), extra(10));
    assertEquals(
      deflateOffer({ contextTakeover: false, windowBits: 10 }),
      `${WITHOUT_CONTEXT}; server_max_window_bits=10`,
    );
    assertEquals(deflateOffer({ contextTakeover: true, windowBits: 15 }), "permessage-deflate");
    for (const bits of [8, 9, 10]) {
      const agreement = agreeOnExtensions(extra(bits), offer);
      assertEquals(
        [agreement?.serverMaxWindowBits, agreement?.clientMaxWindowBits],
        [bits, 10],
      );
    }
  });

  for (const response of ["permessage-deflate", extra(11), extra(15)]) {
    test(`refuses the response ${response}`, () => {
      assertThrows(
        () => agreeOnExtensions(response, offer),
        ProtocolError,
        "Sec-WebSocket-Extensions must have server_max_window_bits from 8 to 10, as offered " +
          "(RFC 7692 §7.1.2.1)",
      );
    });
  }
});

describe("a client that offers no extension", () => {
  test("gets none", () => {
    assertEquals(agreeOnExtensions(undefined, undefined), undefined);
    assertThrows(
      () => agreeOnExtensions(WITHOUT_CONTEXT, undefined),
      ProtocolError,
      "must not be sent if no extension was offered",
    );
  });

  test("sends no Sec-WebSocket-Extensions", () => {
    const { request } = new ClientSubject("ws://example.com/");
    assertEquals(valueOf(request, "Sec-WebSocket-Extensions"), "");
    const offered = new ClientSubject("ws://example.com/", { deflate: { contextTakeover: false } });
    assertEquals(valueOf(offered.request, "Sec-WebSocket-Extensions"), WITHOUT_CONTEXT);
  });
});
