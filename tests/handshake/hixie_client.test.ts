import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, test } from "node:test";
import {
  hideNumber,
  makeChallenge,
  randomInteger,
  shuffle,
} from "../../src/handshake/challenge.ts";
import { ClientSubject } from "./client_subject.ts";
import { proofOf, valueOf } from "./good_server.ts";
import { random as randomFrom } from "./support.ts";

const URL = "ws://example.com/demo?a=b";
const subprotocols = ["sample, two words"];

/** Responses that must be refused: the fault, the change, and parts of the error message. */
type Bad = readonly [what: string, spoil: (answer: string) => string, ...says: string[]];

/** Responses that both drafts refuse. The field names of the drafts differ in a prefix. */
const bad: readonly Bad[] = [
  ["another Upgrade", (answer) => answer.replace("e: WebSocket", "e: websocket"), "WebSocket"],
  ["no Upgrade", (answer) => answer.replace("Upgrade: WebSocket\r\n", ""), "Upgrade"],
  ["another Connection", (answer) => answer.replace("n: Upgrade", "n: close"), "Connection"],
  ["no Connection", (answer) => answer.replace("Connection: Upgrade\r\n", ""), "Connection"],
  ["another origin", (answer) => answer.replace("n: http:", "n: https:"), `got "https://example`],
  ["no origin", (answer) => answer.replace(/(Sec-)?WebSocket-Or.*\r\n/, ""), "Origin", "not sent"],
  ["the origin twice", (answer) => answer.replace(/((?:Sec-)?WebSocket-Or.*\r\n)/, "$1$1"), "once"],
  ["another path", (answer) => answer.replace("/demo?a=b", "/demo"), `got "ws://example.com/demo"`],
  ["another host", (answer) => answer.replace("ws://example.com", "ws://example.org"), "once, as"],
  ["another scheme", (answer) => answer.replace("n: ws:", "n: wss:"), `as "ws://example.com/demo`],
  ["a port", (answer) => answer.replace("ws://example.com", "ws://example.com:80"), ":80/demo"],
  ["a space behind it", (answer) => answer.replace("?a=b\r", "?a=b \r"), "Location"],
  ["two spaces before it", (answer) => answer.replace(": ws://", ":  ws://"), "Location"],
  ["no location", (answer) => answer.replace(/(Sec-)?WebSocket-Loc.*\r\n/, ""), "not sent"],
  ["two locations", (answer) => answer.replace(/((?:Sec-)?WebSocket-L.*\r\n)/, "$1$1"), "once"],
  [
    "a part of the subprotocol",
    (answer) => answer.replace("sample, two words", "sample"),
    `"sample"`,
  ],
  ["no subprotocol", (answer) => answer.replace(/(Sec-)?WebSocket-Pr.*\r\n/, ""), "not sent"],
  ["a bare LF", (answer) => answer.replace("\r\n", "\n"), "0x0A in the status line"],
  [
    "a field without a name",
    (answer) => answer.replace(/(?=(Sec-)?WebSocket-Or)/, ": a\r\n"),
    "0x3A in the first place of a field name",
  ],
];

const bad75: readonly Bad[] = [
  ["the words of draft76", (answer) => answer.replace("Web Socket", "WebSocket"), "Web Socket"],
  ["HTTP/1.0", (answer) => answer.replace("HTTP/1.1", "HTTP/1.0"), `got "HTTP/1.0 101 Web `],
  ["another case", (answer) => answer.replace("Upgrade:", "upgrade:"), "must begin with"],
  [
    "another order",
    (answer) =>
      answer.replace(
        "Upgrade: WebSocket\r\nConnection: Upgrade",
        "Connection: Upgrade\r\nUpgrade: WebSocket",
      ),
    "must begin with",
  ],
  ["a field in between", (answer) => answer.replace("Connection:", "A: b\r\nConnection:"), "begin"],
];

const bad76: readonly Bad[] = [
  ["no reason phrase", (answer) => answer.replace(/ 101 .*/, " 101"), "between two spaces"],
  ["Connection: close", (answer) => answer.replace("n: Upgrade", "n: close"), `, got "close"`],
  ["two Upgrades", (answer) => answer.replace(/(Upgrade: W.*\r\n)/, "$1$1"), "once"],
  ["two Connections", (answer) => answer.replace(/(Connection.*\r\n)/, "$1$1"), "once"],
];

function refuses(version: "draft75" | "draft76", rows: readonly Bad[]): void {
  for (const [what, spoil, ...says] of rows) {
    test(`${version}: ${what}`, () => {
      const subject = new ClientSubject(URL, { version, subprotocols });
      const { message } = subject.refuse(spoil(subject.head));
      for (const words of says) assertStringIncludes(message, words);
    });
  }
}

describe("a client refuses", () => {
  refuses("draft76", [...bad, ...bad76]);
  refuses("draft75", [...bad, ...bad75]);
});

describe("a client takes", () => {
  for (const version of ["draft76", "draft75"] as const) {
    test(`a good answer of ${version}, and what is behind it`, () => {
      const subject = new ClientSubject(URL, { version, subprotocols });
      const { agreement, rest } = subject.accept(`${subject.head}\0hi\xff`);
      assertEquals(agreement, { subprotocol: "sample, two words", deflate: undefined });
      assertEquals(rest, "\0hi\xff");
    });
  }

  const changes: readonly (readonly [what: string, change: (answer: string) => string])[] = [
    [
      "any reason",
      (answer) => answer.replace("WebSocket Protocol Handshake", "Switching Protocols"),
    ],
    ["another case of Connection", (answer) => answer.replace("n: Upgrade", "n: upgrade")],
    ["another case of names", (answer) => answer.replace("Sec-WebSocket-Or", "SEC-WEBSOCKET-OR")],
    ["no space behind a colon", (answer) => answer.replace(": ws:", ":ws:")],
    [
      "other fields",
      (answer) => answer.replace("Upgrade:", "Server: a\r\nSet-Cookie: a=b\r\nUpgrade:"),
    ],
    ["another order", (answer) => answer.replace(/(Upgrade: .*\r\n)(Conn.*\r\n)/, "$2$1")],
  ];
  for (const [what, change] of changes) {
    test(`draft76: ${what}`, () => {
      const subject = new ClientSubject(URL, { version: "draft76" });
      const changed = change(subject.head);
      assert(changed !== subject.head, "the answer is not changed");
      subject.accept(changed);
    });
  }
});

describe("the request of draft76", () => {
  test("has keys by the draft's steps, and 8 bytes behind its head", () => {
    const seeded = randomFrom(76);
    const random = (lowest: number, highest: number) =>
      lowest + Math.floor(seeded() * (highest - lowest + 1));
    const seen = new Set<string>();
    for (let count = 0; count < 2000; count++) {
      const { key, part } = hideNumber(random);
      const spaces = key.split(" ").length - 1;
      const fillers = key.replace(/[ 0-9]/g, "");
      assertEquals(Number(key.replace(/\D/g, "")), part * spaces, key);
      assert(part * spaces <= 0xffffffff && /^[!-~][ -~]*[!-~]$/.test(key), key);
      assert(spaces >= 1 && spaces <= 12 && fillers.length >= 1 && fillers.length <= 12, key);
      for (const filler of fillers) seen.add(filler);
    }
    const all = Array.from({ length: 0x7e - 0x20 }, (_, i) => String.fromCharCode(0x21 + i));
    assertEquals([...seen].toSorted(), all.filter((character) => !/[0-9]/.test(character)));
  });

  test("has its fields in any order, each of them once", () => {
    const orders = new Set<string>();
    for (let count = 0; count < 40; count++) {
      const { lines, rest } = new ClientSubject(URL, { version: "draft76", subprotocols }).request;
      const names = lines.map((line) => line.replace(/:.*/, ""));
      orders.add(names.join());
      assertEquals(rest.length, 8);
      assertEquals(names.toSorted(), [
        "Connection",
        "Host",
        "Origin",
        "Sec-WebSocket-Key1",
        "Sec-WebSocket-Key2",
        "Sec-WebSocket-Protocol",
        "Upgrade",
      ]);
    }
    assert(orders.size > 30, `${orders.size} orders`);
  });

  test("expects the challenge response that an independent computation finds", () => {
    for (let count = 0; count < 50; count++) {
      const { handshake, request } = new ClientSubject(URL, { version: "draft76" });
      assertEquals(String.fromCharCode(...handshake.challengeResponse), proofOf(request));
    }
  });

  test("has the server's own origin by default, in lower case", () => {
    const origins = [{}, { origin: "http://Other.Example" }, { origin: "null" }].map((options) =>
      valueOf(new ClientSubject(URL, { version: "draft76", ...options }).request, "Origin")
    );
    assertEquals(origins, ["http://example.com", "http://other.example", "null"]);
  });
});

describe("the request of both drafts", () => {
  for (const version of ["draft76", "draft75"] as const) {
    test(`${version}: has the given fields, and no subprotocol if none is offered`, () => {
      const headers = [["Cookie", "a=b"], ["X", "y"]] as const;
      const { handshake, request } = new ClientSubject(URL, { version, headers });
      const names = request.lines.map((line) => line.replace(/:.*/, ""));
      const keys = version === "draft76" ? ["Sec-WebSocket-Key1", "Sec-WebSocket-Key2"] : [];
      assertEquals(names.toSorted(), [
        "Connection",
        "Cookie",
        "Host",
        "Origin",
        ...keys,
        "Upgrade",
        "X",
      ]);
      assertEquals(["Cookie", "X"].map((name) => valueOf(request, name)), ["a=b", "y"]);
      const responseLength = version === "draft76" ? 16 : 0;
      assertEquals(handshake.challengeResponse.length, responseLength);
      assertEquals(handshake.allowsInterim, false);
    });
  }
});

describe("the request of draft75", () => {
  test("has its fields in the draft's order, with no keys", () => {
    const headers = [["Cookie", "a=b"]] as const;
    const { request } = new ClientSubject(URL, { version: "draft75", subprotocols, headers });
    assertEquals([request.line, ...request.lines, request.rest], [
      "GET /demo?a=b HTTP/1.1",
      "Upgrade: WebSocket",
      "Connection: Upgrade",
      "Host: example.com",
      "Origin: http://example.com",
      "WebSocket-Protocol: sample, two words",
      "Cookie: a=b",
      "",
    ]);
  });
});

describe("random numbers", () => {
  test("are all there, as likely as each other", () => {
    const counts = [0, 0, 0];
    for (let i = 0; i < 9000; i++) counts[randomInteger(5, 7) - 5]!++;
    // 3000 expected, with a standard deviation of 45.
    assert(counts.every((count) => count > 2600 && count < 3400), String(counts));
  });

  test("are drawn again above the last multiple of their range", () => {
    const { getRandomValues } = crypto;
    const drawn = [2 ** 32 - 1, 2 ** 32 - 2, 2 ** 32 - 1, 0, 4];
    crypto.getRandomValues = (array) => {
      if (array instanceof Uint32Array) array[0] = drawn.shift() ?? 0;
      return array;
    };
    try {
      assertEquals([1, 2, 3].map(() => randomInteger(5, 7)), [7, 5, 6]);
    } finally {
      crypto.getRandomValues = getRandomValues;
    }
    assertEquals(drawn, []);
  });

  test("are drawn again above the last multiple of 7, which leaves 4", () => {
    const { getRandomValues } = crypto;
    const drawn = [1, 2, 3, 4, 5].map((below) => 2 ** 32 - below);
    crypto.getRandomValues = (array) => {
      if (array instanceof Uint32Array) array[0] = drawn.shift() ?? 0;
      return array;
    };
    try {
      assertEquals(randomInteger(1, 7), 7);
    } finally {
      crypto.getRandomValues = getRandomValues;
    }
    assertEquals(drawn, []);
  });

  test("have the draft's bounds: spaces, number, fillers and their places", () => {
    const asked: string[] = [];
    const note = (lowest: number, highest: number, result: number) => {
      asked.push(`${lowest} to ${highest}`);
      return result;
    };
    assertEquals(hideNumber((lowest, highest) => note(lowest, highest, lowest)).key, "! 0");
    assertEquals(asked.splice(0), [
      "1 to 12",
      "0 to 4294967295",
      "1 to 12",
      "0 to 1",
      "0 to 83",
      "1 to 1",
    ]);
    const { key, part } = hideNumber((lowest, highest) => note(lowest, highest, highest));
    assertEquals([key, part], [`4294967292${"~".repeat(11)}${" ".repeat(12)}~`, 357913941]);
    const places = Array.from({ length: 12 }, (_, i) => [`0 to ${10 + i}`, "0 to 83"]).flat();
    const gaps = Array.from({ length: 12 }, (_, i) => `1 to ${21 + i}`);
    assertEquals(asked, ["1 to 12", "0 to 357913941", "1 to 12", ...places, ...gaps]);
  });

  test("make a key3 of any bytes", () => {
    assertEquals(makeChallenge((_, highest) => highest).key3, new Uint8Array(8).fill(0xff));
    assertEquals(makeChallenge((lowest) => lowest).key3, new Uint8Array(8));
  });

  test("shuffle keeps every element", () => {
    assertEquals(shuffle([3, 1, 2], randomInteger).toSorted(), [1, 2, 3]);
    assertEquals(shuffle([3, 1, 2], (lowest) => lowest), [2, 1, 3]);
    assertEquals(shuffle([3, 1, 2], (_, highest) => highest), [3, 1, 2]);
  });
});

describe("what an error quotes of a long response", () => {
  test("is its beginning", () => {
    const subject = new ClientSubject(URL, { version: "draft76" });
    const { message } = subject.refuse(`HTTP/1.1 101\r\nUpgrade: ${"a".repeat(1000)}\r\n\r\n`);
    assertStringIncludes(message, `spaces, got "HTTP/1.1 101" (`);
    const long = subject.refuse(`HTTP/1.1 101 A\r\nUpgrade: ${"a".repeat(1000)}\r\n\r\n`).message;
    assertStringIncludes(
      long,
      `Upgrade must be sent once, as "WebSocket", got "${"a".repeat(120)}…"`,
    );
  });
});
