/**
 * The wire formats. Whatever arrives, they throw only `ProtocolError`, and the result does not depend on
 * how the bytes are split.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { ProtocolError } from "../../src/errors.ts";
import { Hixie } from "../../src/protocol/hixie.ts";
import { Hybi } from "../../src/protocol/hybi.ts";
import { Output } from "../../src/protocol/output.ts";
import type { Protocol, Sink } from "../../src/protocol/protocol.ts";
import { tryBrokenText } from "../protocol/broken_text.ts";
import { deflated } from "../protocol/deflate_cases.ts";
import { deflate, WITH_CONTEXT } from "../protocol/deflate_cases.ts";
import { frame } from "../protocol/hybi_frames.ts";
import { client, server } from "../protocol/hybi_receive.ts";
import { tryEvents, tryFragments } from "../protocol/round_trips.ts";
import { cut, type Dice, join, mutate, randomBytes, randomLength, randomText } from "./mutate.ts";

/** Below the sizes of the generators, so that the limits are reached. */
const LIMITS = { maxMessageSize: 66_000, maxFragments: 20 };

/** How many texts a seed makes, of which one may be long. */
const TEXTS = 10;

/** The result of some bytes: the events, and the code of the error. */
export interface Outcome {
  readonly events: readonly string[];
  readonly code: number | undefined;
}

function brief(kind: string, payload: string | Uint8Array): string {
  const text = typeof payload === "string" ? JSON.stringify(payload) : payload.join();
  return `${kind} ${payload.length} ${text.length > 80 ? hash(text) : text}`;
}

function hash(text: string): number {
  let sum = 0;
  for (let i = 0; i < text.length; i++) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193);
  return sum;
}

/** Feeds the pieces. Sometimes stops the sink, like a busy handler. */
export function outcome(protocol: Protocol, pieces: readonly Uint8Array[], next: Dice): Outcome {
  const events: string[] = [];
  const note = (event: string): boolean => {
    events.push(event);
    return next(4) !== 0;
  };
  const sink: Sink = {
    text: (message) => note(brief("text", message)),
    binary: (message) => note(brief("binary", message)),
    ping: (payload) => note(brief("ping", payload)),
    pong: (payload) => note(brief("pong", payload)),
    close: (code, reason) => {
      events.push(`close ${code} ${reason}`);
      return false;
    },
  };
  try {
    for (const piece of pieces) {
      for (let rest = piece; rest.length > 0;) {
        const taken = protocol.receive(rest, next(2) === 0, sink);
        if (taken <= 0) throw new Error(`no progress with ${rest.length} bytes left`);
        rest = rest.subarray(taken);
      }
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { events, code: error.code };
  } finally {
    protocol.free?.();
  }
  return { events, code: undefined };
}

/** Valid frames of a client: fragmented, with control frames between, compressed or not. */
export function hybiTraffic(next: Dice, compressed: boolean): Uint8Array {
  const frames: Uint8Array[] = [];
  for (let messages = 1 + next(6); messages > 0; messages--) {
    const isText = next(2) === 0;
    const length = randomLength(next);
    const plain = isText
      ? new TextEncoder().encode(randomText(next, length))
      : randomBytes(next, length);
    const isDeflated = compressed && next(2) === 0;
    const payload = isDeflated ? deflate(plain) : plain;
    const parts = next(3) === 0 ? 1 + next(4) : 1;
    for (let part = 0; part < parts; part++) {
      const from = Math.floor(payload.length * part / parts);
      const to = Math.floor(payload.length * (part + 1) / parts);
      const opcode = part === 0 ? (isText ? 1 : 2) : 0;
      const fin = part === parts - 1;
      const slice = payload.slice(from, to);
      frames.push(
        isDeflated && part === 0
          ? deflated(slice, opcode, fin)
          : frame({ opcode, fin, payload: slice, maskingKey: randomBytes(next, 4) }),
      );
      if (next(4) === 0) frames.push(frame({ opcode: 9 + next(2), payload: randomBytes(next, 9) }));
    }
  }
  if (next(3) === 0) frames.push(frame({ opcode: 8, payload: Uint8Array.of(3, 232) }));
  return join(frames);
}

/** Valid frames of a draft75 or draft76 client, including reserved and length-prefixed ones. */
export function hixieTraffic(next: Dice): Uint8Array {
  const frames: Uint8Array[] = [];
  for (let count = 1 + next(8); count > 0; count--) {
    const payload = new TextEncoder().encode(randomText(next, randomLength(next)));
    const type = next(3) === 0 ? next(128) : 0;
    if (next(4) > 0) frames.push(Uint8Array.of(type), payload, Uint8Array.of(0xff));
    else frames.push(Uint8Array.of(0x80 | next(127), next(100)), randomBytes(next, 50));
  }
  if (next(3) === 0) frames.push(Uint8Array.of(0xff, 0x00));
  return join(frames);
}

function sameHoweverCut(next: Dice, bytes: Uint8Array, make: () => Protocol): Outcome {
  const whole = outcome(make(), [bytes.slice()], () => 1);
  for (let round = 0; round < 3; round++) {
    const other = outcome(make(), cut(next, bytes), next);
    assertEquals(other, whole);
  }
  return whole;
}

/** RFC 6455, with and without compression: valid, mutated and random traffic. */
export function fuzzHybi(next: Dice): void {
  const compressed = next(2) === 0;
  const make = () =>
    new Hybi(LIMITS, { role: "server", deflate: compressed ? WITH_CONTEXT : undefined });
  const kind = next(5);
  const good = hybiTraffic(next, compressed);
  const bytes = kind === 0 ? good : kind === 1 ? randomBytes(next, 200) : mutate(next, good);
  sameHoweverCut(next, bytes, make);
}

/** draft75 and draft76. */
export function fuzzHixie(next: Dice): void {
  const version = next(2) === 0 ? "draft75" : "draft76";
  const kind = next(5);
  const good = hixieTraffic(next);
  const bytes = kind === 0 ? good : kind === 1 ? randomBytes(next, 200) : mutate(next, good);
  const { code } = sameHoweverCut(next, bytes, () => new Hixie(LIMITS, { version }));
  if (code !== undefined) assertEquals(code, 1009);
}

/** Text that is not UTF-8 is decoded as if it came in one piece. */
export function fuzzBrokenText(next: Dice): void {
  for (let i = 0; i < TEXTS; i++) tryBrokenText(next, i);
}

/** One end reads any events that the other writes, and a text in any fragments. */
export function fuzzEvents(next: Dice): void {
  const [sender, receiver] = next(2) === 0 ? [client, server] : [server, client];
  tryEvents(next, { from: sender(), makeReceiver: receiver, name: `from a ${sender.name}` });
  tryFragments(next, "in fragments");
}

/** A client reads the messages that a server writes, in the same order. */
export function fuzzRoundTrip(next: Dice): void {
  const windowBits = 9 + next(7);
  const windows = { sendWindowBits: windowBits, receiveWindowBits: windowBits };
  const deflate = next(2) === 0 ? { ...WITH_CONTEXT, ...windows } : undefined;
  const role = next(2) === 0 ? "server" : "client";
  const from = new Hybi(LIMITS, { role, deflate });
  const to = new Hybi(LIMITS, { role: role === "server" ? "client" : "server", deflate });
  const output = new Output();
  const sent: string[] = [];
  for (let count = 1 + next(8); count > 0; count--) {
    const length = randomLength(next);
    if (next(2) === 0) {
      const text = randomText(next, Math.min(length, 16_000));
      from.writeText(output, text);
      sent.push(brief("text", text));
    } else {
      const bytes = randomBytes(next, length);
      from.writeBinary(output, bytes);
      sent.push(brief("binary", bytes));
    }
    if (next(5) === 0) {
      const payload = randomBytes(next, next(126));
      from.writePing(output, payload);
      sent.push(brief("ping", payload));
    }
  }
  assertEquals(outcome(to, cut(next, output.take()), next), { events: sent, code: undefined });
  from.free();
}
