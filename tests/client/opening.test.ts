import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { describe, test } from "node:test";
import { ProtocolError } from "../../src/client/mod.ts";
import { HIXIE, VERSIONS } from "../handshake/good_server.ts";
import { Subject } from "./support.ts";

const URL = "ws://example.com/demo?a=b";

/** Another last byte than that of the random challenge. */
function withAnotherEnd(response: string): string {
  const last = response.charCodeAt(response.length - 1);
  return response.slice(0, -1) + String.fromCharCode(last ^ 1);
}

for (const version of VERSIONS) {
  describe(`a connection of ${version}`, () => {
    test("opens with a correct response, and later bytes belong to the connection", () => {
      const subject = new Subject(URL, { version, subprotocols: ["chat"] });
      const outcome = subject.feedEveryWay(`${subject.answer}\0hi\xff`);
      assert(outcome !== "waiting" && "head" in outcome, JSON.stringify(outcome));
      assertEquals(outcome.rest, "\0hi\xff");
    });

    test("does not open with another response, and the error says why", () => {
      const subject = new Subject(URL, { version });
      const outcome = subject.feedEveryWay(subject.answer.replace("Upgrade: ", "Upgrade: no "));
      assert(outcome !== "waiting" && "error" in outcome, "it opened");
      const { message, cause, status, headers, body } = outcome.error;
      assertStringIncludes(message, `Cannot connect to ${URL}: `);
      assertInstanceOf(cause, ProtocolError);
      assertEquals([status, [...headers], body], [undefined, [], ""]);
    });
  });
}

describe("interim responses", () => {
  const interim = "HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 103\r\nA: b\r\n\r\n";

  test("may come before the response in versions with a number", () => {
    const subject = new Subject(URL);
    const outcome = subject.feedEveryWay(`${interim}${subject.answer}rest`);
    assert(outcome !== "waiting" && "head" in outcome, JSON.stringify(outcome));
    assertEquals([outcome.head.status, outcome.rest], [101, "rest"]);
  });

  for (const version of HIXIE) {
    test(`are refused by ${version}, which does not allow them`, () => {
      const subject = new Subject(URL, { version });
      const outcome = subject.feedEveryWay(interim + subject.answer);
      assert(outcome !== "waiting" && "error" in outcome, "it opened");
      assertStringIncludes(
        outcome.error.message,
        `the status must be 101, got "HTTP/1.1 100 Go on"`,
      );
      assertEquals(outcome.error.status, 100);
    });
  }
});

describe("the challenge response of draft76", () => {
  const wrong: readonly (readonly [what: string, spoil: (response: string) => string])[] = [
    ["another last byte", withAnotherEnd],
    ["zeros", (response) => `${response.slice(0, -16)}${"\0".repeat(16)}`],
  ];
  for (const [what, spoil] of wrong) {
    test(`must be correct: ${what}`, () => {
      const subject = new Subject(URL, { version: "draft76" });
      const outcome = subject.feedEveryWay(spoil(subject.answer));
      assert(outcome !== "waiting" && "error" in outcome, "it opened");
      const { message } = outcome.error;
      assertStringIncludes(message, "the challenge response must be ");
      if (what === "zeros") {
        assertStringIncludes(message, `, got ${"00".repeat(16)} (draft76 §4.1)`);
      }
    });
  }
});

describe("the quotation of a long response in an error", () => {
  test("is its beginning", () => {
    const outcome = new Subject(URL).feedEveryWay(
      `HTTP/1.1 500 ${"a".repeat(300)}\r\nContent-Length: 0\r\n\r\n`,
    );
    assert(outcome !== "waiting" && "error" in outcome);
    assertStringIncludes(outcome.error.message, `got "HTTP/1.1 500 ${"a".repeat(107)}…"`);
  });
});
