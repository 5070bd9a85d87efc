import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { asSent, type ConnectionEnd } from "../../src/connection/connection_end.ts";
import type { ConnectionEvent } from "../../src/connection/states.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { protocolOf } from "./subject.ts";

const END: ConnectionEnd = { by: "server", code: 4000, reason: "done" };

type Row = readonly [
  version: WebSocketVersion,
  event: ConnectionEvent,
  sendsClose: boolean,
  code: number,
];

/** Keeps the code and the reason of the end, or has another code and no reason. */
const rows: readonly Row[] = [
  ["rfc6455", "close", true, 4000],
  ["rfc6455", "close", false, 4000],
  ["rfc6455", "fail", true, 4000],
  ["rfc6455", "fail", false, 1006],
  ["rfc6455", "abort", false, 4000],
  ["rfc6455", "peerClose", false, 4000],
  ["draft76", "close", true, 1005],
  ["draft76", "close", false, 1005],
  ["draft76", "fail", true, 1006],
  ["draft76", "fail", false, 1006],
  ["draft76", "abort", false, 1006],
  ["draft76", "peerClose", true, 4000],
  ["draft75", "close", true, 1006],
  ["draft75", "fail", true, 1006],
  ["draft75", "peerClose", false, 4000],
];

describe("the code of an end", () => {
  for (const [version, event, sendsClose, code] of rows) {
    const how = `${event}, ${sendsClose ? "with" : "without"} a close frame`;
    test(`is ${code} in ${version} after ${how}`, () => {
      const protocol = protocolOf(version, "server");
      const expected = code === 4000 ? END : { ...END, code, reason: "" };
      assertEquals(asSent(END, { event, sendsClose, protocol }), expected);
    });
  }
});
