import { assert, assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { random as randomFrom } from "../handshake/support.ts";
import { bytesOf, VERSIONS } from "../handshake/good_server.ts";
import { type Outcome, Subject } from "./support.ts";

const ROUNDS = 800;
/** Bytes that occur in heads. Any other byte has the same probability as all of these together. */
const TELLING = bytesOf('\r\n: ,;="\0\t/1HTPUws\xff\x80');

/** Changes, removes, repeats and inserts bytes at random. */
function spoil(bytes: Uint8Array, random: () => number): Uint8Array {
  const integer = (below: number) => Math.floor(random() * below);
  const spoiled = [...bytes];
  for (let changes = 1 + integer(3); changes > 0; changes--) {
    const at = integer(spoiled.length);
    const byte = random() < 0.5 ? integer(256) : TELLING[integer(TELLING.length)] ?? 0;
    const kind = integer(4);
    if (kind === 0) spoiled[at] = byte;
    else if (kind === 1) spoiled.splice(at, 1 + integer(8));
    else if (kind === 2) spoiled.splice(at, 0, byte);
    else spoiled.splice(at, 0, ...spoiled.slice(integer(spoiled.length), integer(spoiled.length)));
  }
  return Uint8Array.from(spoiled);
}

/** Splits bytes at random. */
function cut(bytes: Uint8Array, random: () => number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + Math.floor(random() * random() * bytes.length);
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return pieces;
}

/** An outcome as text. */
function summary(outcome: Outcome): string {
  if (outcome === "waiting") return outcome;
  return "error" in outcome
    ? `${outcome.error.message} ${outcome.error.status} ${outcome.error.body}`
    : `${outcome.head.text} ${outcome.subprotocol} ${outcome.rest}`;
}

for (const version of VERSIONS) {
  describe(`randomly changed responses of ${version}`, () => {
    test("open or are refused, with the same result in any pieces", () => {
      const random = randomFrom(6455);
      const subject = new Subject("ws://example.com/", { version, subprotocols: ["chat"] });
      const good = bytesOf(`${subject.answer}\x81\x02hi`);
      const counts = { opened: 0, refused: 0 };
      for (let round = 0; round < ROUNDS; round++) {
        const answer = spoil(good, random);
        const whole = subject.feed([answer], true);
        assert(whole !== "waiting", "it ends with the connection");
        if ("error" in whole) counts.refused++;
        else counts.opened++;
        const pieces = cut(answer, random);
        assertEquals(summary(subject.feed(pieces, true)), summary(whole), `round ${round}`);
      }
      assert(counts.opened > 0 && counts.refused > ROUNDS / 4, JSON.stringify(counts));
    });
  });
}
