import { assertEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import { WEBSOCKET_VERSIONS } from "../../src/handshake/versions.ts";
import { createServerProtocol } from "../../src/connection/create_protocol.ts";
import { Output } from "../../src/protocol/output.ts";
import { WITH_CONTEXT } from "../protocol/deflate_cases.ts";
import { bytes, hex } from "../protocol/hixie_cases.ts";
import { LIMITS } from "../protocol/hybi_receive.ts";

test("each version has its protocol", () => {
  for (const version of WEBSOCKET_VERSIONS) {
    const isDraft = version.startsWith("draft");
    const protocol = createServerProtocol(version, LIMITS);
    const output = new Output();
    protocol.writeText(output, "a");
    protocol.writeClose(output, 1000, "");
    const closing = version === "draft75" ? "" : isDraft ? "FF 00" : "88 02 03 E8";
    assertEquals(output.take(), bytes(hex(isDraft ? "00 61 FF" : "81 01 61"), hex(closing)));
    if (isDraft) assertThrows(() => protocol.writePing(output, bytes()), TypeError);
  }
});

test("the agreed parameters are used", () => {
  const protocol = createServerProtocol("rfc6455", LIMITS, { ...WITH_CONTEXT, threshold: 2 });
  const output = new Output();
  for (const message of ["a", "aa"]) protocol.writeText(output, message);
  assertEquals(output.take().filter((_, i) => i === 0 || i === 3), hex("81 C1"));
  protocol.free?.();
});
