import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, test } from "node:test";
import type { HandshakeError } from "../../src/client/mod.ts";
import { VERSIONS } from "../handshake/good_server.ts";
import { Subject } from "./support.ts";

const URL = "ws://example.com/";

/** The error of a client for a response without the status 101. */
function refusal(answer: string, { ends = false, options = {} } = {}): HandshakeError {
  const outcome = new Subject(URL, options).feedEveryWay(answer, { ends });
  assert(outcome !== "waiting" && "error" in outcome, `${JSON.stringify(answer)}: not refused`);
  return outcome.error;
}

describe("a refusal", () => {
  for (const version of VERSIONS) {
    test(`of ${version} has the status, the fields and the body`, () => {
      const answer = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n" +
        "Content-Length: 13\r\n\r\nlog in first\n";
      const error = refusal(answer, { options: { version } });
      assertEquals([error.status, error.body], [401, "log in first\n"]);
      assertEquals(error.headers.get("www-authenticate"), "Basic");
      assertEquals(
        error.message,
        "Cannot connect to ws://example.com/: the status must be 101, " +
          `got "HTTP/1.1 401 Unauthorized": "log in first"`,
      );
    });
  }

  const bodies: readonly (readonly [what: string, answer: string, body: string])[] = [
    ["no body", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", ""],
    ["a status that has none", "HTTP/1.1 204 \r\n\r\n", ""],
    ["a status that has none", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", ""],
    [
      "a body with a length",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, and more",
      "hello",
    ],
    [
      "a body in chunks",
      "HTTP/1.1 503 \r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\n\r\nmore",
      "hello",
    ],
    [
      "chunks that are broken",
      "HTTP/1.1 503 \r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhelp!\r\n",
      "hel",
    ],
    ["a length that is none", "HTTP/1.1 500 \r\nContent-Length: five\r\n\r\nhello", ""],
    ["another coding", "HTTP/1.1 500 \r\nTransfer-Encoding: gzip\r\n\r\nhello", ""],
    ["UTF-8", "HTTP/1.1 500 \r\nContent-Length: 3\r\n\r\n\xe2\x82\xac", "€"],
    ["no UTF-8", "HTTP/1.1 500 \r\nContent-Length: 1\r\n\r\n\xff", "\ufffd"],
    ["HTTP/1.0", "HTTP/1.0 500 No\r\nContent-Length: 2\r\n\r\nno", "no"],
  ];
  for (const [what, answer, body] of bodies) {
    test(`with ${what}`, () => {
      const error = refusal(answer);
      assertEquals(error.body, body);
      assertEquals(error.status, Number(answer.slice(9, 12)));
    });
  }

  test("has the received part of a body that ends with the connection", () => {
    assertEquals(refusal("HTTP/1.1 400 Bad\r\n\r\nhello", { ends: true }).body, "hello");
    const cut = "HTTP/1.1 400 Bad\r\nContent-Length: 9\r\n\r\nhello";
    assertEquals(refusal(cut, { ends: true }).body, "hello");
    const chunk = "HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello";
    assertEquals(refusal(chunk, { ends: true }).body, "hello");
  });

  test("has maxBodySize bytes of its body, and is reported before the rest arrives", () => {
    for (const [maxBodySize, body] of [[1, "h"], [4, "hell"], [5, "hello"]] as const) {
      const endless = "HTTP/1.1 400 Bad\r\n\r\nhello";
      assertEquals(refusal(endless, { options: { maxBodySize } }).body, body);
      const long = "HTTP/1.1 400 Bad\r\nContent-Length: 99999999999\r\n\r\nhello";
      assertEquals(refusal(long, { options: { maxBodySize } }).body, body);
    }
  });

  test("with a redirect is not followed, and has the Location", () => {
    const error = refusal("HTTP/1.1 301 Moved\r\nLocation: wss://a/\r\nContent-Length: 0\r\n\r\n");
    assertEquals([error.status, error.headers.get("location")], [301, "wss://a/"]);
  });
});

describe("the head of a response", () => {
  test("has at most maxHeaderSize bytes", () => {
    for (const version of VERSIONS) {
      const size = new Subject(URL, { version }).head.length;
      const fits = new Subject(URL, { version, maxHeaderSize: size });
      const outcome = fits.feedEveryWay(fits.answer);
      assert(outcome !== "waiting" && "head" in outcome, JSON.stringify(outcome));
      const tooLong = new Subject(URL, { version, maxHeaderSize: size - 1 });
      const refused = tooLong.feedEveryWay(tooLong.answer);
      assert(refused !== "waiting" && "error" in refused);
      assertStringIncludes(
        refused.error.message,
        `must not exceed maxHeaderSize (${size - 1} bytes)`,
      );
    }
  });

  test("has at most maxHeaderCount fields", () => {
    for (const version of VERSIONS) {
      const count = new Subject(URL, { version }).head.split("\r\n").length - 3;
      const fits = new Subject(URL, { version, maxHeaderCount: count });
      const outcome = fits.feedEveryWay(fits.answer);
      assert(outcome !== "waiting" && "head" in outcome, JSON.stringify(outcome));
      const tooMany = new Subject(URL, { version, maxHeaderCount: count - 1 });
      const refused = tooMany.feedEveryWay(tooMany.answer);
      assert(refused !== "waiting" && "error" in refused);
      assertStringIncludes(
        refused.error.message,
        `must not exceed maxHeaderCount (${count - 1} fields)`,
      );
    }
  });

  test("may be long and arrive byte by byte", () => {
    const subject = new Subject(URL);
    const answer = subject.head.replace("\r\n\r\n", `\r\nA: ${"a".repeat(15_000)}\r\n\r\n`);
    const bytes = Uint8Array.from(answer, (character) => character.charCodeAt(0));
    const outcome = subject.feed([...bytes].map((byte) => Uint8Array.of(byte)), false);
    assert(outcome !== "waiting" && "head" in outcome, JSON.stringify(outcome));
  });
});

describe("a response that ends too early", () => {
  for (const version of VERSIONS) {
    test(`is refused, and the error says how many bytes arrived (${version})`, () => {
      const subject = new Subject(URL, { version });
      const { answer } = subject;
      for (let length = 0; length < answer.length; length++) {
        const bytes = Uint8Array.from(answer.slice(0, length), (c) => c.charCodeAt(0));
        const outcome = subject.feed([bytes], true);
        assert(outcome !== "waiting" && "error" in outcome, `${length} bytes`);
        const { message } = outcome.error;
        assertStringIncludes(message, "the server closed the connection before a complete ");
        assertStringIncludes(message, `response, got ${length} bytes`);
      }
    });
  }
});
