import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { Refusal } from "../../src/errors.ts";
import { requestReader } from "../../src/handshake/request_line.ts";
import { latin1Bytes } from "../support/bytes.ts";
import { checkRows } from "../support/rows.ts";
import {
  assertRefused,
  CHROME,
  describeOutcome,
  DRAFT76,
  LIMITS,
  readEveryWay,
  readPieces,
  textOf,
} from "./support.ts";

describe("a request head, whole and in pieces", () => {
  const rows: [name: string, text: string, expected: Record<string, unknown>][] = [
    ["the least", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", {
      method: "GET",
      target: "/",
      httpVersion: "1.1",
      headers: [["host", "a"]],
      rest: "",
    }],
    ["HTTP/1.0 without fields", "GET /a?b HTTP/1.0\r\n\r\n", {
      method: "GET",
      target: "/a?b",
      httpVersion: "1.0",
      headers: [],
      rest: "",
    }],
    ["bytes behind it that look like a head", "GET / HTTP/1.0\r\n\r\n\r\n\r\nGET", {
      method: "GET",
      target: "/",
      httpVersion: "1.0",
      headers: [],
      rest: "\r\n\r\nGET",
    }],
    ["one empty line before it (RFC 9112 §2.2)", "\r\nGET / HTTP/1.0\r\nA: b\r\n\r\nrest", {
      method: "GET",
      target: "/",
      httpVersion: "1.0",
      headers: [["a", "b"]],
      rest: "rest",
    }],
    ["two empty lines before it", "\r\n\r\nGET / HTTP/1.0\r\n\r\nrest", {
      method: "GET",
      target: "/",
      httpVersion: "1.0",
      headers: [],
      rest: "rest",
    }],
    ["a method of every kind of token character", "a!#$%&'*+-.^_`|~9Z / HTTP/1.0\r\n\r\n", {
      method: "a!#$%&'*+-.^_`|~9Z",
      target: "/",
      httpVersion: "1.0",
      headers: [],
      rest: "",
    }],
    [
      "values of every kind",
      "GET / HTTP/1.0\r\nA:\r\nB:b\r\nC: \t c  \td\t \r\nD: \xe9\xff\r\n\r\n",
      {
        method: "GET",
        target: "/",
        httpVersion: "1.0",
        headers: [["a", ""], ["b", "b"], ["c", "c  \td"], ["d", "\xe9\xff"]],
        rest: "",
      },
    ],
    [
      "values with control characters, which are kept (RFC 9110 §5.5)",
      "GET / HTTP/1.0\r\nA: \x7f\r\nB:\x01b\x0b\r\nC: c\x1b[2J\x08\x7f\r\nD:\x80\x9f\r\n\r\n",
      {
        method: "GET",
        target: "/",
        httpVersion: "1.0",
        headers: [["a", "\x7f"], ["b", "\x01b\x0b"], ["c", "c\x1b[2J\x08\x7f"], ["d", "\x80\x9f"]],
        rest: "",
      },
    ],
    [
      "a target of every kind of character",
      "GET /!\"$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~ HTTP/1.0\r\n\r\n",
      {
        method: "GET",
        target: "/!\"$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~",
        httpVersion: "1.0",
        headers: [],
        rest: "",
      },
    ],
  ];
  test("has its parts, and what is behind it", () => {
    checkRows(rows, ([name]) => name, ([, text, expected]) => {
      assertEquals(describeOutcome(readEveryWay(text)), expected);
    });
  });

  test("Chromium's", () => {
    const outcome = readEveryWay(CHROME);
    assert(outcome !== "incomplete" && "head" in outcome);
    assertEquals(outcome.head.get("sec-websocket-key"), "dGhlIHNhbXBsZSBub25jZQ==");
    assertEquals(outcome.rest, "");
  });

  test("PhantomJS's, with key3 behind it", () => {
    const outcome = readEveryWay(DRAFT76);
    assert(outcome !== "incomplete" && "head" in outcome);
    assertEquals(outcome.head.get("sec-websocket-key1"), "651  a 91     6832");
    assertEquals(outcome.head.get("sec-websocket-key2"), "G 25(4?t  !  2 k 7sF3  1hN300");
    assertEquals(outcome.rest, "\x3b\x3f\x2a\xe8\x87\x5c\xff\x98");
  });

  test("every truncation is incomplete, and no more", () => {
    const head = latin1Bytes(DRAFT76).subarray(0, -8);
    for (let length = 0; length < head.length; length++) {
      assertEquals(readPieces([head.subarray(0, length)]), "incomplete", `of ${length} bytes`);
    }
  });

  test("one after the other, with one reader", () => {
    const reader = requestReader(LIMITS);
    const both = latin1Bytes(`\r\n${CHROME}${DRAFT76}`);
    const first = reader.read(both);
    assertEquals(reader.consumed, CHROME.length + 2);
    assertEquals(reader.read(both.subarray(reader.consumed, 600)), undefined);
    const second = reader.read(both.subarray(600));
    assertEquals(textOf(both.subarray(600 + reader.consumed)), DRAFT76.slice(-8));
    assertEquals(first?.get("sec-websocket-version"), "13");
    assertEquals(second?.get("sec-websocket-version"), undefined);
    assertEquals(first?.get("cookie"), undefined);
    assertEquals(second?.get("cookie"), "session=1; theme=dark");
  });

  test("one reader starts each head anew", () => {
    const head = latin1Bytes("\r\n\r\nGET / HTTP/1.0\r\nA: b\r\n\r\n");
    const reader = requestReader({ maxHeaderSize: head.length, maxHeaderCount: 1 });
    for (let i = 0; i < 4; i++) {
      const at = i % 2 === 0 ? head.length : 10;
      const first = reader.read(head.subarray(0, at));
      const read = first ?? reader.read(head.subarray(at));
      assertEquals(read?.get("a"), "b");
      assertEquals(reader.consumed, first === undefined ? head.length - 10 : head.length);
    }
  });

  test("two connections at a time", () => {
    const [one, other] = [requestReader(LIMITS), requestReader(LIMITS)];
    const chrome = latin1Bytes(CHROME), draft76 = latin1Bytes(DRAFT76);
    one.read(chrome.subarray(0, 100));
    other.read(draft76.subarray(0, 90));
    const first = one.read(chrome.subarray(100));
    const second = other.read(draft76.subarray(90));
    assertEquals(first?.get("connection"), "Upgrade");
    assertEquals(second?.get("origin"), "http://localhost:8888");
    assertEquals(first?.get("sec-websocket-version"), "13");
  });

  test("a head is not disturbed by another one that is coming in", () => {
    const head = requestReader(LIMITS).read(latin1Bytes(CHROME));
    assertEquals(head?.get("upgrade"), "websocket");
    requestReader(LIMITS).read(latin1Bytes(DRAFT76).subarray(0, 120));
    assertEquals(head?.get("upgrade"), "websocket");
    assertEquals(head?.rawValues("sec-websocket-version"), [" 13"]);
  });
});

describe("a malformed head is refused with 400, at its first wrong byte", () => {
  const malformed: [name: string, text: string, because: string][] = [
    ["a third empty line", "\r\n\r\n\r", "0x0D in the method (RFC 9112 §3.1)"],
    ["an empty line that is a CR alone", "\rG", "a CR must be followed by an LF"],
    ["an empty line that is an LF alone", "\n", "0x0A in the method"],
    ["a TLS ClientHello", "\x16", "0x16 in the method"],
    ["no method", " ", "0x20 in the method"],
    ["a method that is no token", "GE(", "0x28 in the method"],
    ["a method of Latin letters", "G\xc9", "0xC9 in the method"],
    ["a tab behind the method", "GET\t", "0x09 in the method"],
    ["a method and nothing else", "GET\r", "0x0D in the method"],
    ["no target", "GET  ", "0x20 in the request-target (RFC 9112 §3.2)"],
    ["HTTP/0.9", "GET /\r", "0x0D in the request-target"],
    ["a target of Latin letters", "GET /\xe9", "0xE9 in the request-target"],
    ["a target with a DEL", "GET /\x7f", "0x7F in the request-target"],
    ["a target with a fragment", "GET /#", "0x23 in the request-target"],
    ["a target with a NUL", "GET /\0", "0x00 in the request-target"],
    ["two spaces behind the target", "GET /  ", "0x20 in the HTTP-version (RFC 9112 §2.3)"],
    ["another protocol", "GET / HTTP ", "0x20 in the HTTP-version"],
    ["a protocol in lower case", "GET / h", "0x68 in the HTTP-version"],
    ["no major version", "GET / HTTP/.", "0x2E in the HTTP-version"],
    ["a major version of a letter", "GET / HTTP/a", "0x61 in the HTTP-version"],
    ["no dot", "GET / HTTP/11", "0x31 in the HTTP-version"],
    ["no minor version", "GET / HTTP/1.\r", "0x0D in the HTTP-version"],
    ["a minor version of a letter", "GET / HTTP/1.a", "0x61 in the HTTP-version"],
    ["a minor version of two digits", "GET / HTTP/1.10", "0x30 in the HTTP-version"],
    ["a space behind the version", "GET / HTTP/1.1 ", "0x20 in the HTTP-version"],
    ["an LF alone behind the version", "GET / HTTP/1.1\n", "0x0A in the HTTP-version"],
    ["a CR alone behind the version", "GET / HTTP/1.1\rA", "0x41 in the HTTP-version"],
    ["a folded first line", "GET / HTTP/1.1\r\n ", "line folding is refused (RFC 9112 §5.2)"],
    ["a folded line", "GET / HTTP/1.1\r\nA: b\r\n\t", "line folding is refused"],
    ["no field name", "GET / HTTP/1.1\r\n:", "0x3A in the first place of a field name"],
    ["an LF for an empty line", "GET / HTTP/1.1\r\n\n", "0x0A in the first place of a field name"],
    [
      "a field name that is no token",
      "GET / HTTP/1.1\r\nA(",
      "0x28 in a field name (RFC 9110 §5.1)",
    ],
    ["a field name of Latin letters", "GET / HTTP/1.1\r\nA\xe9", "0xE9 in a field name"],
    ["a field name with a NUL", "GET / HTTP/1.1\r\nA\0", "0x00 in a field name"],
    ["a field without a colon", "GET / HTTP/1.1\r\nA\r", "0x0D in a field name"],
    [
      "a space before the colon",
      "GET / HTTP/1.1\r\nA ",
      "space between a field name and its colon",
    ],
    [
      "a tab before the colon",
      "GET / HTTP/1.1\r\nA\t",
      "space between a field name and its colon",
    ],
    ["a NUL in a value", "GET / HTTP/1.1\r\nA: \0", "0x00 in a field value (RFC 9110 §5.5)"],
    ["a NUL inside of a value", "GET / HTTP/1.1\r\nA: b\x7f\0", "0x00 in a field value"],
    ["an LF alone in a value", "GET / HTTP/1.1\r\nA: b\n", "0x0A in a field value"],
    ["a CR alone in a value", "GET / HTTP/1.1\r\nA: b\rC", "a CR must be followed by an LF"],
    ["two CRs", "GET / HTTP/1.1\r\nA: b\r\r", "a CR must be followed by an LF"],
    ["a CR alone at the end", "GET / HTTP/1.1\r\nA: b\r\n\rX", "a CR must be followed by an LF"],
  ];
  test("and not before", () => {
    checkRows(malformed, ([name]) => name, ([, text, because]) => {
      assertEquals(readEveryWay(text.slice(0, -1)), "incomplete");
      assertRefused(text, 400, because);
      assertRefused(`${text}a: b\r\n\r\n`, 400, because);
    });
  });

  test("every byte that a place can't hold, in that place", () => {
    const places: [before: string, allowed: RegExp, next: string][] = [
      ["G", /[!#$%&'*+\-.^_`|~0-9A-Za-z]/, " "],
      ["GET /", /[\x21-\x22\x24-\x7e]/, " "],
      ["GET / HTTP/1.1\r\nA", /[!#$%&'*+\-.^_`|~0-9A-Za-z]/, ":"],
      ["GET / HTTP/1.1\r\nA:", /[^\0\r\n]/, "\r"],
    ];
    for (const [before, allowed, next] of places) {
      for (let byte = 0; byte < 256; byte++) {
        const character = String.fromCharCode(byte);
        const outcome = readPieces([latin1Bytes(before + character)]);
        const expected = allowed.test(character) || character === next;
        assertEquals(outcome === "incomplete", expected, `${JSON.stringify(before)} and ${byte}`);
      }
    }
  });
});

describe("a head that breaks a rule is refused with 400, when it is complete", () => {
  const rows: [name: string, text: string, because: string][] = [
    ["a path without a slash", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", "must be a path, an http"],
    ["a ftp URL", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "must be a path, an http"],
    ["an authority", "GET a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", "must be a path, an http"],
    ["the asterisk of a GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", "or * for OPTIONS"],
    ["the asterisk in lower case", "options * HTTP/1.0\r\n\r\n", "or * for OPTIONS"],
    ["the asterisk and more", "OPTIONS */ HTTP/1.0\r\n\r\n", "or * for OPTIONS"],
    ["the asterisk without a Host", "OPTIONS * HTTP/1.1\r\n\r\n", "must have a Host"],
    ["no Host", "GET / HTTP/1.1\r\n\r\n", "an HTTP/1.1 request must have a Host (RFC 9112 §3.2)"],
    ["two of Host", "GET / HTTP/1.1\r\nHost: a\r\nhOST: a\r\n\r\n", "Host must be sent once"],
    [
      "two of Host in 1.0",
      "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
      "Host must be sent once",
    ],
    ...[
      "",
      "a b",
      "a/b",
      "a?b",
      "a#b",
      "a@b",
      "a\\b",
      "a\xe9",
      "a,b\tc",
      "a,b",
      ",",
      "a,",
      "a%41",
      "%78n--a",
      "xn--",
      "xn--a",
      "XN--A:80",
      "b.xn--0.a",
      "xn--a-",
      "xn--ab-j1t",
      "xn--99999999",
      "xn--a_b",
      "a\x7f",
      "a:b",
      "a:70000",
      "a:1:2",
      ":80",
      "256.1.1.1",
      "1.2.3.4.5",
      "a%zz",
      "[::1",
      "[::g]",
      "[fe80::1%25eth0]",
      "[]",
      "::1",
      "[::1]a",
      '"a"',
      "<a>",
    ].map((host): [string, string, string] => [
      `the Host ${JSON.stringify(host)}`,
      `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
      "Host must be sent once, as a host with an optional port (RFC 9112 §3.2)",
    ]),
    ...["http", "ws", "wss"].flatMap((scheme) =>
      ["", "u@a", "u:p@a", "a:b", "[::g]", "a,b", "xn--a"].map((host): [string, string, string] => [
        `the target ${scheme}://${host}/`,
        `GET ${scheme}://${host}/ HTTP/1.1\r\nHost: a\r\n\r\n`,
        "the authority of the request-target must be a host with an optional port (RFC 9110 §4.2)",
      ])
    ),
    [
      "a bad Host beside a good target",
      "GET http://a/ HTTP/1.1\r\nHost: /\r\n\r\n",
      "Host must be sent once",
    ],
  ];
  test("with the rule", () => {
    checkRows(rows, ([name]) => name, ([, text, because]) => assertRefused(text, 400, because));
  });

  test("with the rule after a valid head, whose Host is not checked again", () => {
    const valid = latin1Bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    checkRows(rows, ([name]) => name, ([, text, because]) => {
      const reader = requestReader(LIMITS);
      reader.read(valid);
      const refusal = assertThrows(() => reader.read(latin1Bytes(text)), Refusal);
      assertStringIncludes(refusal.message, because);
    });
  });

  for (
    const host of [
      "a",
      "A-b.example:8888",
      "localhost:65535",
      "a:",
      "127.0.0.1:60999",
      "255.255.255.255",
      "[::1]:8888",
      "[2001:DB8::1]",
      "under_score.a",
      "xn--bcher-kva.example",
      "XN--Bcher-KVA.example:8888",
      "a.xn--80ak6aa92e",
      "xn--ls8h.la",
      "xn--fa-hia",
      "a.",
      "1.2.3",
      "x~y!$&'()*+;=",
    ]
  ) {
    test(`the Host ${host} is one`, () => {
      const outcome = readEveryWay(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      assert(outcome !== "incomplete" && "head" in outcome);
      assertEquals(outcome.head.host, host);
    });
  }
});

describe("CONNECT is refused with 501", () => {
  for (const target of ["a:80", "/", "http://a/"]) {
    test(target, () => {
      assertRefused(
        `CONNECT ${target} HTTP/1.1\r\nHost: a:80\r\n\r\n`,
        501,
        "the method CONNECT is not served (RFC 9110 §15.6.2)",
      );
    });
  }
});

describe("another version of HTTP is refused with 505", () => {
  for (const version of ["0.9", "0.1", "2.0", "3.0", "1.2", "1.9", "9.9"]) {
    test(`HTTP/${version}`, () => {
      assertRefused(`GET / HTTP/${version}\r\n\r\n`, 505, "only HTTP/1.0 and HTTP/1.1 are served");
    });
  }

  test("the preface of HTTP/2", () => {
    assertRefused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "(RFC 9110 §15.6.6)");
  });
});
