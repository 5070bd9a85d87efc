import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, test } from "node:test";
import { ClientSubject } from "./client_subject.ts";
import { HYBI } from "./good_server.ts";

const URL = "ws://example.com:8080/chat?room=1";

/** Responses that must be refused: the fault, the change, and parts of the error message. */
type Bad = readonly [what: string, spoil: (head: string) => string, ...says: string[]];

const bad: readonly Bad[] = [
  ["HTTP/1.2", (head) => head.replace("HTTP/1.1", "HTTP/1.2"), "HTTP/1.1", "HTTP/1.2 101"],
  ["HTTP/2", (head) => head.replace("HTTP/1.1", "HTTP/2"), `"HTTP/1."`, `"HTTP/2"`],
  ["HTTP/1,1", (head) => head.replace("HTTP/1.1", "HTTP/1,1"), `"HTTP/1."`, `"HTTP/1,"`],
  ["another protocol", () => "SSH-2.0-OpenSSH_9.2\r\n", `"HTTP/1."`, `"S"`],
  ["a status of two digits", (head) => head.replace(" 101 ", " 99 "), "RFC 9112 §4"],
  ["no Upgrade", (head) => head.replace(/Upgrade: w.*\r\n/, ""), "Upgrade must be websocket"],
  ["no Upgrade", (head) => head.replace(/Upgrade: w.*\r\n/, ""), "not sent"],
  ["another Upgrade", (head) => head.replace(": websocket", ": h2c"), `got "h2c"`],
  ["two of them", (head) => head.replace(": websocket", ": websocket, h2c"), "websocket, h2c"],
  ["no Connection", (head) => head.replace(/Connection.*\r\n/, ""), "Connection must include"],
  ["another Connection", (head) => head.replace(": Upgrade", ": close"), `got "close"`],
  ["no accept", (head) => head.replace(/Sec.*\r\n/, ""), "Sec-WebSocket-Accept", "not sent"],
  [
    "the accept of RFC 6455's example",
    (head) => head.replace(/Accept: .*/, "Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
    `got "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" (RFC 6455 §4.1)`,
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
    "if no extension was offered",
    `"permessage-deflate"`,
  ],
  [
    "extensions that are none",
    (head) => head.replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: ;;\r\n\r\n"),
    "a list of extensions",
    "§9.1",
  ],
  ["a field without a colon", (head) => head.replace("Connection:", "Connection"), "and its colon"],
  ["a field without a name", (head) => head.replace("Connection:", ":"), "0x3A in the first place"],
  ["a name with a space", (head) => head.replace("Connection:", "Connection :"), "and its colon"],
  ["line folding", (head) => head.replace("Connection", " Connection"), "line folding"],
  [
    "a control character",
    (head) => head.replace("Switching", "Switch\x01ing"),
    "0x01 in the status",
  ],
  ["a NUL in a value", (head) => head.replace(": Upgrade", ": Upgrade\0"), "0x00 in a field value"],
  ["a bare LF", (head) => head.replace("\r\n", "\n"), "0x0A in the status line (RFC 9112 §4)"],
  [
    "a bare LF behind a field",
    (head) => head.replace("cket\r\n", "cket\n"),
    "0x0A in a field value",
  ],
  [
    "an empty list of extensions",
    (head) => head.replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: \r\n\r\n"),
    'Sec-WebSocket-Extensions must be a list of extensions, got ""',
  ],
  [
    "extensions without a name",
    (head) => head.replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: , ,\r\n\r\n"),
    "Sec-WebSocket-Extensions must be a list of extensions",
  ],
  ["a bare CR", (head) => head.replace("101 ", "101 \r"), "a CR must be followed by an LF"],
  [
    "a bare CR in a field",
    (head) => head.replace("cket\r\n", "cket\rA"),
    "a CR must be followed by",
  ],
];

function lower(text: string): string {
  return text.toLowerCase();
}

describe("a client of RFC 6455 refuses", () => {
  for (const [what, spoil, ...says] of bad) {
    test(what, () => {
      const subject = new ClientSubject(URL);
      const { message } = subject.refuse(spoil(subject.head));
      for (const words of says) assertStringIncludes(message, words);
    });
  }

  test("subprotocols that were not offered, and two of them", () => {
    for (const sent of ["soap", "chat, superchat"]) {
      const subject = new ClientSubject(URL, { subprotocols: ["chat", "superchat"] });
      const field = `\r\nSec-WebSocket-Protocol: ${sent}\r\n\r\n`;
      const { message } = subject.refuse(subject.head.replace("\r\n\r\n", field));
      assertStringIncludes(message, `one of chat, superchat, got "${sent}"`);
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
  ];
  for (const [what, change] of good) {
    test(what, () => {
      const subject = new ClientSubject(URL);
      const { head, agreement, rest } = subject.accept(`${change(subject.head)}\x81\x02hi`);
      assertEquals(head.status, 101);
      assertEquals(agreement, { subprotocol: undefined, deflate: undefined });
      assertEquals(rest, "\x81\x02hi");
    });
  }

  test("a subprotocol that was asked for, or none", () => {
    for (const chosen of ["superchat", undefined]) {
      const subject = new ClientSubject(URL, { subprotocols: ["chat", "superchat"] });
      const line = chosen === undefined ? "" : `Sec-WebSocket-Protocol: ${chosen}\r\n`;
      const { agreement } = subject.accept(subject.head.replace("\r\n\r\n", `\r\n${line}\r\n`));
      assertEquals(agreement.subprotocol, chosen);
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
        headers: [["Authorization", "Bearer \xe9"], ["Cookie", "a=b"]],
      } as const;
      const { request } = new ClientSubject(URL, options);
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
          "Authorization: Bearer \xe9",
          "Cookie: a=b",
        ].toSorted(),
      );
      const keys = Array.from({ length: 20 }, () => new ClientSubject(URL).request.lines[3]);
      assertEquals(new Set(keys).size, 20);
    });
  }

  test("has no origin, subprotocol or extension by default", () => {
    const names = new ClientSubject(URL).request.lines.map((line) => line.split(":")[0]);
    assertEquals(names, [
      "Host",
      "Upgrade",
      "Connection",
      "Sec-WebSocket-Key",
      "Sec-WebSocket-Version",
    ]);
  });
});
