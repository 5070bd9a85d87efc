import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { describe, test } from "node:test";
import { ProtocolError } from "../../src/errors.ts";
import { HYBI, Subject } from "./support.ts";

const URL = "ws://example.com:8080/chat?room=1";

/** Answers that must be refused: what is wrong, how, and what the message must say of it. */
type Bad = readonly [what: string, spoil: (head: string) => string, ...says: string[]];

const bad: readonly Bad[] = [
  ["HTTP/1.2", (head) => head.replace("HTTP/1.1", "HTTP/1.2"), "HTTP/1.1", "HTTP/1.2 101"],
  ["HTTP/2", (head) => head.replace("HTTP/1.1", "HTTP/2"), `"HTTP/1."`, `"HTTP/2"`],
  ["another protocol", () => "SSH-2.0-OpenSSH_9.2\r\n", `"HTTP/1."`, `"S"`],
  ["a status of two digits", (head) => head.replace(" 101 ", " 99 "), "RFC 9112 §4"],
  ["no Upgrade", (head) => head.replace(/Upgrade: w.*\r\n/, ""), "Upgrade must be websocket"],
  ["no Upgrade", (head) => head.replace(/Upgrade: w.*\r\n/, ""), "not sent"],
  ["another Upgrade", (head) => head.replace(": websocket", ": h2c"), `not "h2c"`],
  ["two of them", (head) => head.replace(": websocket", ": websocket, h2c"), "websocket, h2c"],
  ["no Connection", (head) => head.replace(/Connection.*\r\n/, ""), "Connection must include"],
  ["another Connection", (head) => head.replace(": Upgrade", ": close"), `not "close"`],
  ["no accept", (head) => head.replace(/Sec.*\r\n/, ""), "Sec-WebSocket-Accept", "not sent"],
  [
    "the accept of RFC 6455's example",
    (head) => head.replace(/Accept: .*/, "Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
    `not "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" (RFC 6455 §4.1)`,
  ],
  ["the accept twice", (head) => head.replace(/(Sec.*\r\n)/, "$1$1"), "sent once"],
  ["an accept in lower case", (head) => head.replace(/(?<=pt: ).*/, lower), "must be sent once"],
  [
    "a subprotocol",
    (head) => head.replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: chat\r\n\r\n"),
    "must not be sent",
    `"chat"`,
  ],
  [
    "an extension",
    (head) => head.replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
    "none was offered",
    `"permessage-deflate"`,
  ],
  [
    "extensions that are none",
    (head) => head.replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: ;;\r\n\r\n"),
    "a list of extensions",
    "§9.1",
  ],
  ["a field without a colon", (head) => head.replace("Connection:", "Connection"), "a colon"],
  ["a field without a name", (head) => head.replace("Connection:", ":"), "a name", `": Upgrade"`],
  ["a name with a space", (head) => head.replace("Connection:", "Connection :"), "a name"],
  ["line folding", (head) => head.replace("Connection", " Connection"), "a name"],
  ["a control character", (head) => head.replace("Switching", "Switch\x01ing"), "status line"],
  ["a NUL in a value", (head) => head.replace(": Upgrade", ": Upgrade\0"), "a value"],
  ["a bare LF", (head) => head.replace("\r\n", "\n"), "CR and LF"],
  ["a bare CR", (head) => head.replace("101 ", "101 \r"), "CR and LF"],
];

function lower(text: string): string {
  return text.toLowerCase();
}

describe("a client of RFC 6455 refuses", () => {
  for (const [what, spoil, ...says] of bad) {
    test(what, () => {
      const subject = new Subject(URL);
      const outcome = subject.feedEveryWay(spoil(subject.head));
      assert(outcome !== "waiting" && "error" in outcome, "it did not");
      for (const words of says) assertStringIncludes(outcome.error.message, words);
      assertStringIncludes(outcome.error.message, `Cannot connect to ${URL}: `);
      assertInstanceOf(outcome.error.cause, ProtocolError);
      assertEquals(outcome.error.status, undefined);
    });
  }

  test("subprotocols that were not asked for, and two of them", () => {
    for (const [sent, came] of [["soap", "soap"], ["chat, superchat", "chat, superchat"]]) {
      const subject = new Subject(URL, { subprotocols: ["chat", "superchat"] });
      const answer = subject.head.replace(
        "\r\n\r\n",
        `\r\nSec-WebSocket-Protocol: ${sent}\r\n\r\n`,
      );
      const outcome = subject.feedEveryWay(answer);
      assert(outcome !== "waiting" && "error" in outcome, "it did not");
      assertStringIncludes(outcome.error.message, `one of chat, superchat, not "${came}"`);
    }
  });
});

describe("a client of RFC 6455 takes", () => {
  const good: readonly (readonly [what: string, change: (head: string) => string])[] = [
    ["a good answer", (head) => head],
    ["no reason phrase", (head) => head.replace(" Switching Protocols", "")],
    ["an empty reason phrase", (head) => head.replace("Switching Protocols", "")],
    ["HTTP/1.0", (head) => head.replace("HTTP/1.1", "HTTP/1.0")],
    [
      "control characters in a field",
      (head) => head.replace("\r\n\r\n", "\r\nServer: \x7f\x01\r\n\r\n"),
    ],
    ["another case", (head) => head.replace("Upgrade: websocket", "UPGRADE: WebSocket")],
    ["more than one connection option", (head) => head.replace(": Up", ": keep-alive, up")],
    ["spaces and tabs around values", (head) => head.replace(/: (.*)/g, ":\t $1 \t")],
    [
      "fields that it does not know",
      (head) => head.replace("\r\n\r\n", "\r\nServer: \xe9\r\n\r\n"),
    ],
    [
      "100 and 103 before it",
      (head) => `HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 103\r\nA: b\r\n\r\n${head}`,
    ],
    [
      "an empty list of extensions",
      (head) => head.replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: \r\n\r\n"),
    ],
  ];
  for (const [what, change] of good) {
    test(what, () => {
      const subject = new Subject(URL);
      const outcome = subject.feedEveryWay(`${change(subject.head)}\x81\x02hi`);
      assert(outcome !== "waiting" && "head" in outcome, JSON.stringify(outcome));
      assertEquals([outcome.head.status, outcome.subprotocol], [101, undefined]);
      assertEquals(outcome.rest, "\x81\x02hi");
    });
  }

  test("a subprotocol that was asked for, or none", () => {
    for (const chosen of ["superchat", undefined]) {
      const subject = new Subject(URL, { subprotocols: ["chat", "superchat"] });
      const line = chosen === undefined ? "" : `Sec-WebSocket-Protocol: ${chosen}\r\n`;
      const outcome = subject.feedEveryWay(subject.head.replace("\r\n\r\n", `\r\n${line}\r\n`));
      assert(outcome !== "waiting" && "head" in outcome, JSON.stringify(outcome));
      assertEquals(outcome.subprotocol, chosen);
    }
  });
});

describe("the request of RFC 6455 and its drafts", () => {
  const numbers: Readonly<Record<string, string>> = {
    rfc6455: "13",
    "hybi-08": "8",
    "hybi-07": "7",
  };
  for (const version of HYBI) {
    test(`${version} has a new key, the number and the fields that were asked for`, () => {
      const options = {
        version,
        subprotocols: ["chat", "superchat"],
        origin: "http://Example.com",
        headers: { Cookie: "a=b", Authorization: "Bearer \xe9" },
      } as const;
      const { request } = new Subject(URL, options);
      const key = /^Sec-WebSocket-Key: ([A-Za-z0-9+/]{22}==)$/.exec(request.lines[3] ?? "")?.[1];
      assertEquals(request.line, "GET /chat?room=1 HTTP/1.1");
      assertEquals(request.rest, "");
      assertEquals(
        request.lines.toSorted(),
        [
          "Host: example.com:8080",
          "Upgrade: websocket",
          "Connection: Upgrade",
          `Sec-WebSocket-Key: ${key}`,
          `Sec-WebSocket-Version: ${numbers[version]}`,
          `${version === "rfc6455" ? "" : "Sec-WebSocket-"}Origin: http://Example.com`,
          "Sec-WebSocket-Protocol: chat, superchat",
          "authorization: Bearer \xe9",
          "cookie: a=b",
        ].toSorted(),
      );
      const keys = Array.from({ length: 20 }, () => new Subject(URL).request.lines[3]);
      assertEquals(new Set(keys).size, 20);
    });
  }

  test("has no origin, subprotocol or extension unless told", () => {
    const names = new Subject(URL).request.lines.map((line) => line.split(":")[0]);
    assertEquals(names, [
      "Host",
      "Upgrade",
      "Connection",
      "Sec-WebSocket-Key",
      "Sec-WebSocket-Version",
    ]);
  });
});
