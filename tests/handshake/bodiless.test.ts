import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { HttpError, ProtocolError } from "../../src/errors.ts";
import { checkBodiless } from "../../src/handshake/bodiless.ts";
import { isDraft, WEBSOCKET_VERSIONS } from "../../src/handshake/versions.ts";
import { headOf } from "./support.ts";

function head(...fields: string[]) {
  return headOf(["GET / HTTP/1.1", "Host: a", ...fields, "", ""].join("\r\n"));
}

describe("a handshake has no body", () => {
  for (const version of WEBSOCKET_VERSIONS) {
    const key3 = version === "draft76" ? "8" : "0";

    test(`${version}: no field says so, or Content-Length: ${key3}`, () => {
      checkBodiless(head(), version);
      checkBodiless(head(`Content-Length: ${key3}`), version);
    });

    test(`${version}: anything else is refused`, () => {
      const wrong = version === "draft76" ? "0" : "8";
      for (
        const field of [
          `Content-Length: ${wrong}`,
          "Content-Length: 1",
          "Transfer-Encoding: chunked",
        ]
      ) {
        const refuse = () => checkBodiless(head(field), version);
        const because = "a WebSocket handshake has no body (RFC 9110 §9.3.1)";
        if (isDraft(version)) assertThrows(refuse, ProtocolError, because);
        else assertEquals(assertThrows(refuse, HttpError, because).status, 400);
      }
    });
  }
});
