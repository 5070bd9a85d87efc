import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { ProtocolError, Refusal } from "../../src/errors.ts";
import { checkNoBody } from "../../src/handshake/request_rules.ts";
import { isDraft, WEBSOCKET_VERSIONS } from "../../src/handshake/versions.ts";
import { headOf } from "./support.ts";

function head(...fields: string[]) {
  return headOf(["GET / HTTP/1.1", "Host: a", ...fields, "", ""].join("\r\n"));
}

describe("a handshake has no body", () => {
  for (const version of WEBSOCKET_VERSIONS) {
    const countsKey3 = version === "draft76";

    test(`${version}: no field says so, or Content-Length: 0${countsKey3 ? " or 8" : ""}`, () => {
      checkNoBody(head(), version);
      checkNoBody(head("Content-Length: 0"), version);
      if (countsKey3) checkNoBody(head("Content-Length: 8"), version);
    });

    test(`${version}: anything else is refused`, () => {
      for (
        const field of [
          `Content-Length: ${countsKey3 ? "9" : "8"}`,
          "Content-Length: 1",
          "Content-Length: 00",
          "Content-Length: ",
          "Content-Length: 0\r\nContent-Length: 0",
          "Transfer-Encoding: chunked",
        ]
      ) {
        const refuse = () => checkNoBody(head(field), version);
        const because = "a WebSocket handshake must not have a body (RFC 9110 §9.3.1)";
        if (isDraft(version)) assertEquals(assertThrows(refuse, ProtocolError, because).code, 1002);
        else assertEquals(assertThrows(refuse, Refusal, because).status, 400);
      }
    });
  }
});
