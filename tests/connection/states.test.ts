/**
 * Every event in every state of a real connection: for both roles, in versions with close codes, with a
 * close frame only, and without one.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { type ConnectionEvent, type State, TRANSITIONS } from "../../src/connection/states.ts";
import { ProtocolError } from "../../src/errors.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { type RoleName, settle, Subject } from "./subject.ts";

const STATES: readonly State[] = ["open", "closing", "lost", "closed"];
const EVENTS: readonly ConnectionEvent[] = [
  "close",
  "peerClose",
  "fail",
  "peerEnd",
  "gone",
  "abort",
];

/**
 * The result of each event: the next state, and what the peer receives. `close` is our close frame,
 * `answer` the one that echoes the peer's, `error` the one with the error.
 */
const EXPECTED: Readonly<Record<State, Readonly<Record<ConnectionEvent, string>>>> = {
  open: {
    close: "closing: close",
    peerClose: "closed: answer, FIN",
    fail: "closed: error, FIN",
    peerEnd: "closed: FIN, gone",
    gone: "lost:",
    abort: "closed: reset",
  },
  closing: {
    close: "closing:",
    peerClose: "closed: FIN",
    fail: "closed: FIN",
    peerEnd: "closed: FIN, gone",
    gone: "lost:",
    abort: "closed: reset",
  },
  lost: {
    close: "lost:",
    peerClose: "closed:",
    fail: "closed:",
    peerEnd: "closed:",
    gone: "lost:",
    abort: "closed:",
  },
  closed: {
    close: "closed:",
    peerClose: "closed:",
    fail: "closed:",
    peerEnd: "closed:",
    gone: "closed:",
    abort: "closed:",
  },
};

/** {@linkcode EXPECTED}, with the differences of a version or role. */
function expected(
  { role, version }: { role: RoleName; version: WebSocketVersion },
  state: State,
  event: ConnectionEvent,
): string {
  const row = EXPECTED[state][event];
  if (version === "rfc6455") {
    // A server closes TCP first, in versions with a closing handshake (RFC 6455 §7.1.1).
    const waits = role === "client" && event === "peerClose";
    return waits ? row.replace(/,? FIN$/, "") : row;
  }
  // Without close codes, the error cannot be sent.
  const text = row.replace("error, ", "");
  if (version === "draft76") return text;
  return text.replace("closing: close", "closing: FIN").replace("answer, ", "");
}

/** Brings a connection into a state. */
const reach: Readonly<Record<State, (subject: Subject) => unknown>> = {
  open: () => {},
  closing: ({ connection }) => connection.close(1000, "bye"),
  lost: ({ receiver, far }) => {
    receiver.isBehind = true;
    far.destroy();
  },
  closed: ({ connection }) => connection.abort(),
};

/** Causes an event. */
const cause: Readonly<Record<ConnectionEvent, (subject: Subject) => unknown>> = {
  close: ({ connection }) => connection.close(4000, "bye"),
  peerClose: ({ connection }) => connection.peerClosed(4001, "so long"),
  fail: ({ connection }) => connection.fail(new ProtocolError(1002, "not so"), "protocol"),
  peerEnd: ({ connection, receiver, far }) => {
    receiver.isBehind = false;
    if (connection.state === "lost") connection.settle();
    else far.end();
  },
  gone: ({ connection, receiver, far }) => {
    receiver.isBehind = true;
    if (connection.state === "lost") connection.closed();
    else far.destroy();
  },
  abort: ({ connection }) => connection.abort(),
};

/** Describes frames in any version and from either role. */
function name(heard: string, text: { close: string; error: string; answer: string }): string {
  if (heard === "ff 00") return "frame";
  for (const [what, bytes] of Object.entries(text)) if (heard === bytes) return what;
  return heard;
}

function frames(role: RoleName): { close: string; error: string; answer: string } {
  const bytes = (code: number, reason: string) =>
    [code >> 8, code & 255, ...new TextEncoder().encode(reason)]
      .map((byte) => byte.toString(16).padStart(2, "0"));
  const frame = (code: number, reason: string) => {
    const payload = bytes(code, reason);
    return ["88", payload.length.toString(16).padStart(2, "0"), ...payload].join(" ");
  };
  if (role === "client") return { close: "", error: "", answer: "" };
  return {
    close: frame(4000, "bye"),
    error: frame(1002, "not so"),
    answer: frame(4001, "so long"),
  };
}

/** The frames of a client have random masks. Only their length identifies them. */
function unmasked(role: RoleName, heard: string): string {
  if (role === "server" || !heard.startsWith("88")) return heard;
  return { 11: "close", 14: "error", 15: "answer" }[heard.split(" ").length] ?? heard;
}

test("the table has every event in every state", () => {
  assertEquals<readonly string[]>(Object.keys(TRANSITIONS), STATES);
  for (const state of STATES) {
    assertEquals<readonly string[]>(Object.keys(TRANSITIONS[state]), EVENTS);
  }
});

for (const role of ["server", "client"] as const) {
  for (const version of ["rfc6455", "draft76", "draft75"] as const) {
    describe(`a ${role}'s connection of ${version}`, () => {
      for (const state of STATES) {
        for (const event of EVENTS) {
          const row = expected({ role, version }, state, event);
          test(`${state}, ${event} → ${row}`, async () => {
            const subject = new Subject({ role, version });
            const { connection, receiver } = subject;
            reach[state](subject);
            await settle();
            assertEquals(connection.state, state);
            subject.take();
            const before = receiver.events.splice(0);
            cause[event](subject);
            await settle();

            const heard = subject.take().map((bytes) => name(unmasked(role, bytes), frames(role)));
            let wire = row.slice(row.indexOf(":") + 1).trim();
            if (version === "draft76") wire = wire.replace(/close|answer/, "frame");
            // In draft75, our FIN was sent while closing. A peer that resets receives its own end.
            if (version === "draft75" && state === "closing") wire = wire.replace(/^FIN(, )?/, "");
            if (event === "gone" && (state === "open" || state === "closing")) wire = "gone";
            if (event === "gone" && state === "closed") wire = "";
            assertEquals(heard.join(", "), wire);
            const next = row.slice(0, row.indexOf(":"));
            assertEquals([connection.state, TRANSITIONS[state][event].next], [next, next]);

            const { isOpen, isLive } = connection;
            assertEquals([isOpen, isLive], [next === "open", next !== "closed"]);
            assertEquals(connection.ended === undefined, next !== "closed");
            assertEquals(connection.ended, receiver.end);
            const told = [...before, ...receiver.events];
            const count = (what: string) => told.filter((event) => event === what).length;
            assertEquals(count("closing"), next === "open" ? 0 : 1);
            assertEquals(count("ended"), next === "closed" ? 1 : 0);
            // Every end is reported in time, and once.
            receiver.isBehind = false;
            connection.settle();
            await subject.clock.advance(20_000);
            if (next === "open") return;
            const all = [...before, ...receiver.events];
            // A transport reports once that it is closed. Here, the test has reported it again.
            const isTwice = state === "lost" && event === "gone";
            assertEquals(all.filter((event) => event === "gone").length, isTwice ? 2 : 1);
            for (const what of ["closing", "ended"]) {
              assertEquals(all.filter((event) => event === what).length, 1, what);
            }
            assertEquals([connection.state, subject.clock.pending], ["closed", 0]);
          });
        }
      }
    });
  }
}
