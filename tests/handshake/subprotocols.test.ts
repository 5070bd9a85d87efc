import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { Refusal } from "../../src/errors.ts";
import {
  checkSubprotocols,
  offeredSubprotocols,
  parseSubprotocols,
} from "../../src/handshake/subprotocols.ts";
import { WEBSOCKET_VERSIONS, type WebSocketVersion } from "../../src/handshake/versions.ts";
import { headOf } from "./support.ts";

describe("Sec-WebSocket-Protocol (RFC 6455 §11.3.4)", () => {
  const rows: [value: string, subprotocols: string[]][] = [
    ["chat", ["chat"]],
    ["chat, superchat", ["chat", "superchat"]],
    ["b,a", ["b", "a"]],
    [" \tchat\t,superchat ", ["chat", "superchat"]],
    [",chat,, ,superchat,", ["chat", "superchat"]],
    ["Chat, chat", ["Chat", "chat"]],
    ["v1.a!#$%&'*+-^_`|~", ["v1.a!#$%&'*+-^_`|~"]],
  ];
  for (const [value, subprotocols] of rows) {
    test(JSON.stringify(value), () => assertEquals(parseSubprotocols(value), subprotocols));
  }

  test("in several fields", () => {
    const head = headOf(
      "GET / HTTP/1.0\r\nSec-WebSocket-Protocol: a, b\r\nX: y\r\nsec-websocket-protocol: c\r\n\r\n",
    );
    assertEquals(parseSubprotocols(head.get("sec-websocket-protocol") ?? ""), ["a", "b", "c"]);
  });

  const refused: [value: string, because: string][] = [
    ["", "must name a subprotocol (RFC 6455 §11.3.4)"],
    [" , ,", "must name a subprotocol"],
    ["a b", "must be a list of tokens (RFC 6455 §11.3.4)"],
    ["a;b", "must be a list of tokens"],
    ['"a"', "must be a list of tokens"],
    ["a, \xe9", "must be a list of tokens"],
    ["a\xa0", "must be a list of tokens"],
    ["a, b, a", "must not name a subprotocol twice (RFC 6455 §4.1)"],
  ];
  for (const [value, because] of refused) {
    test(`${JSON.stringify(value)} is refused`, () => {
      const { status, reason } = assertThrows(
        () => parseSubprotocols(value),
        Refusal,
        because,
      );
      assertEquals(reason, "handshake");
      assertEquals(status, 400);
    });
  }
});

describe("what a client offers", () => {
  function offered(field: string, version: (typeof WEBSOCKET_VERSIONS)[number]): string[] {
    const head = headOf(`GET / HTTP/1.1\r\nHost: a\r\n${field}\r\n\r\n`);
    return offeredSubprotocols(head, version);
  }

  test("is a list of tokens from the hybi drafts on", () => {
    for (const version of ["hybi-07", "hybi-08", "rfc6455"] as const) {
      assertEquals(offered("Sec-WebSocket-Protocol: a, b", version), ["a", "b"]);
      assertEquals(offered("WebSocket-Protocol: a", version), []);
      assertThrows(() => offered("Sec-WebSocket-Protocol: a b", version), Refusal);
    }
  });

  test("is one string of any characters in draft75 and draft76, in a field of their own", () => {
    assertEquals(offered("Sec-WebSocket-Protocol: a b, c", "draft76"), ["a b, c"]);
    assertEquals(offered("WebSocket-Protocol: a b, c", "draft76"), []);
    assertEquals(offered("WebSocket-Protocol: a b, c", "draft75"), ["a b, c"]);
    assertEquals(offered("Sec-WebSocket-Protocol: a b, c", "draft75"), []);
  });

  test("is nothing without the field", () => {
    for (const version of WEBSOCKET_VERSIONS) assertEquals(offered("X: y", version), []);
  });
});

describe("the subprotocols that a client offers", () => {
  test("are tokens, or in draft75 and draft76 one visible text", () => {
    checkSubprotocols([], "rfc6455");
    checkSubprotocols(["chat", "superchat"], "hybi-07");
    checkSubprotocols(["sample, two words"], "draft76");
    checkSubprotocols([], "draft75");
  });

  const refused: [subprotocols: string[], version: WebSocketVersion, because: string][] = [
    [["a b"], "rfc6455", `subprotocol "a b": must be a token (RFC 6455 §4.1)`],
    [["a", ""], "hybi-08", `subprotocol "": must be a token`],
    [["a", "a"], "rfc6455", "twice: a, a"],
    [["a", "b"], "draft76", "Cannot offer 2 subprotocols: draft75 and draft76 allow only one"],
    [["\t"], "draft75", "must be visible ASCII (draft76 §4.1)"],
    [[""], "draft76", "must be visible ASCII"],
  ];
  for (const [subprotocols, version, because] of refused) {
    test(`${JSON.stringify(subprotocols)} of ${version} are a TypeError`, () => {
      assertThrows(() => checkSubprotocols(subprotocols, version), TypeError, because);
    });
  }
});
