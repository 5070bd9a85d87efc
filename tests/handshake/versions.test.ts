import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { HttpError } from "../../src/errors.ts";
import {
  detectVersion,
  isDraft,
  upgradeRequired,
  versionNumber,
  WEBSOCKET_VERSIONS,
  type WebSocketVersion,
} from "../../src/handshake/versions.ts";
import { CHROME, DRAFT76, headOf, requestOf } from "./support.ts";

type Fields = Readonly<Record<string, string>>;

describe("the version of a handshake", () => {
  const rows: [name: string, fields: Fields, version: WebSocketVersion | undefined][] = [
    ["13", { Upgrade: "websocket", "Sec-WebSocket-Version": "13" }, "rfc6455"],
    ["8", { Upgrade: "websocket", "Sec-WebSocket-Version": "8" }, "hybi-08"],
    ["7", { Upgrade: "websocket", "Sec-WebSocket-Version": "7" }, "hybi-07"],
    [
      "13 among other upgrades",
      { Upgrade: "h2c, WebSocket", "Sec-WebSocket-Version": "13" },
      "rfc6455",
    ],
    ["13 with keys of draft76", {
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key1": "1 0",
    }, "rfc6455"],
    ["both keys", {
      Upgrade: "WebSocket",
      "Sec-WebSocket-Key1": "1 0",
      "Sec-WebSocket-Key2": "1 0",
    }, "draft76"],
    ["the first key", { Upgrade: "WebSocket", "Sec-WebSocket-Key1": "" }, "draft76"],
    ["the second key", { Upgrade: "WebSocket", "Sec-WebSocket-Key2": "1 0" }, "draft76"],
    ["nothing", { Upgrade: "WebSocket" }, "draft75"],
    ["no upgrade", { "Sec-WebSocket-Version": "13" }, undefined],
    ["another upgrade", { Upgrade: "h2c", "Sec-WebSocket-Version": "13" }, undefined],
    ["an empty upgrade", { Upgrade: "" }, undefined],
  ];
  for (const [name, fields, version] of rows) {
    test(`is ${version} with ${name}`, () => {
      assertEquals(detectVersion(requestOf(fields), WEBSOCKET_VERSIONS), version);
    });
  }

  test("is found in what clients send", () => {
    assertEquals(detectVersion(headOf(CHROME), WEBSOCKET_VERSIONS), "rfc6455");
    assertEquals(detectVersion(headOf(DRAFT76), WEBSOCKET_VERSIONS), "draft76");
    assertEquals(detectVersion(headOf("GET / HTTP/1.0\r\n\r\n"), WEBSOCKET_VERSIONS), undefined);
  });

  for (
    const fields of [
      ...["", "0", "4", "6", "9", "12", "14", "013", "13.0", "13, 13", "13, 8", "+13"].map((
        number,
      ) => ({ "Sec-WebSocket-Version": number })),
      { "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==" },
    ] satisfies Fields[]
  ) {
    test(`is refused with ${JSON.stringify(fields)}`, () => {
      const request = requestOf({ Upgrade: "websocket", ...fields });
      const { status } = assertThrows(() => detectVersion(request, WEBSOCKET_VERSIONS), HttpError);
      assertEquals(status, 426);
    });
  }

  test("is refused if it is not enabled, whichever it is", () => {
    for (const [name, fields, version] of rows) {
      if (version === undefined) continue;
      const others = WEBSOCKET_VERSIONS.filter((other) => other !== version);
      const error = assertThrows(() => detectVersion(requestOf(fields), others), HttpError);
      assertEquals(error.status, 426, name);
      assertEquals(detectVersion(requestOf(fields), [version]), version, name);
    }
  });
});

describe("the refusal of a version", () => {
  test("lists those that are served, the newest first (RFC 6455 §4.4)", () => {
    const { headers, status } = upgradeRequired(["draft76", "hybi-07", "rfc6455", "hybi-08"]);
    assertEquals(status, 426);
    assertEquals([...headers], [
      ["connection", "Upgrade"],
      ["sec-websocket-version", "13, 8, 7"],
      ["upgrade", "websocket"],
    ]);
    assertEquals(upgradeRequired(["rfc6455"]).headers.get("sec-websocket-version"), "13");
  });

  test("lists none for a server of the drafts alone", () => {
    const { headers, message } = upgradeRequired(["draft76", "draft75"]);
    assert(!headers.has("sec-websocket-version"));
    assert(message.includes("draft76, draft75"), message);
  });
});

describe("the number of a version", () => {
  test("is there from the hybi drafts on", () => {
    const numbers = WEBSOCKET_VERSIONS.map(versionNumber);
    assertEquals(numbers, ["13", "8", "7", undefined, undefined]);
  });

  test("is missing in the drafts before", () => {
    assertEquals(WEBSOCKET_VERSIONS.filter(isDraft), ["draft76", "draft75"]);
  });
});
