/**
 * The challenge of draft76: two numbers that are hidden in keys, and the eight bytes of key3. A client
 * makes it (§4.1), and a server responds (§5.2).
 *
 * @module
 */
import { challengeDigest } from "../digest/handshake_digests.ts";
import { ProtocolError } from "../errors.ts";

/** The two numbers that a client hides in its keys (§5.2). */
export interface ChallengeParts {
  /** The number of `Sec-WebSocket-Key1` divided by its spaces, below 2³². */
  readonly part1: number;
  /** The same for `Sec-WebSocket-Key2`. */
  readonly part2: number;
}

/** The length of key3, in bytes. */
export const KEY3_LENGTH = 8;

const MAX_KEY_NUMBER = 0xffffffff;
const SPACE = 0x20;
const DIGIT_0 = 0x30;

// --- The server -----------------------------------------------------------------------------------

/**
 * Returns the number that is hidden in a key: the number that its digits form, divided by the number of
 * its spaces.
 *
 * A number above 2³²−1 is refused, since no client may send one (§4.1). The text of July 2010 adds that
 * "this is a symptom of an attack".
 *
 * @throws {ProtocolError} If the key has no digit or no space, or if its number is above 2³²−1 or not a
 * multiple of its spaces.
 */
export function keyPart(key: string): number {
  let keyNumber = 0;
  let digits = 0;
  let spaces = 0;
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i);
    if (code === SPACE) spaces++;
    else if (code >= DIGIT_0 && code <= DIGIT_0 + 9) {
      digits++;
      keyNumber = keyNumber * 10 + (code - DIGIT_0);
      // Checked after each digit, before many digits lose precision.
      if (keyNumber > MAX_KEY_NUMBER) throw keyError(key, "its number is above 2^32-1", "§4.1");
    }
  }
  if (digits === 0) throw keyError(key, "it has no digit", "§5.2");
  if (spaces === 0) throw keyError(key, "it has no space", "§5.2");
  if (keyNumber % spaces !== 0) {
    throw keyError(key, "its number is not a multiple of its spaces", "§5.2");
  }
  return keyNumber / spaces;
}

function keyError(key: string, because: string, section: string): ProtocolError {
  // Escaped and shortened: the key comes from the peer, and the message may be logged.
  return new ProtocolError(
    1002,
    `the key ${JSON.stringify(key.slice(0, 64))} is refused: ${because} (draft76 ${section})`,
  );
}

/**
 * Computes the 16 bytes that prove that the server has read the request (§5.2).
 *
 * @param parts The result of `checkDraft76`.
 * @param key3 The 8 bytes after the request head.
 * @throws {TypeError} If `key3` does not have 8 bytes.
 */
export function challengeResponse({ part1, part2 }: ChallengeParts, key3: Uint8Array): Uint8Array {
  if (key3.length !== KEY3_LENGTH) {
    throw new TypeError(
      `Cannot answer a challenge: key3 must have 8 bytes, got ${key3.length} (draft76 §5.2)`,
    );
  }
  return challengeDigest(part1, part2, key3);
}

// --- The client -----------------------------------------------------------------------------------

/** A challenge and its expected response. */
export interface Challenge {
  /** The value of `Sec-WebSocket-Key1`. */
  readonly key1: string;
  /** The value of `Sec-WebSocket-Key2`. */
  readonly key2: string;
  /** The 8 bytes after the request head. */
  readonly key3: Uint8Array;
  /** The 16 bytes that must follow the response head. */
  readonly response: Uint8Array;
}

/** A number hidden in a key. */
export interface HiddenNumber {
  /** The key. */
  readonly key: string;
  /** The number of the key divided by its spaces. */
  readonly part: number;
}

/** Returns a random integer from `lowest` to `highest`. */
export type RandomInteger = (lowest: number, highest: number) => number;

/** A key has 1 to 12 spaces, and 1 to 12 characters that are neither spaces nor digits. */
const MOST_INSERTED = 12;
/** The characters that are neither spaces nor digits: U+0021 to U+002F and U+003A to U+007E. */
const FILLERS = [[0x21, 0x2f], [0x3a, 0x7e]].flatMap(([from = 0, to = 0]) =>
  Array.from({ length: to - from + 1 }, (_, i) => String.fromCharCode(from + i))
);

/** Returns a random integer from a secure source. All values have the same probability. */
export function randomInteger(lowest: number, highest: number): number {
  const range = highest - lowest + 1;
  // A number above the last multiple of the range would make low values more likely.
  const limit = 2 ** 32 - 2 ** 32 % range;
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return random < limit ? lowest + random % range : randomInteger(lowest, highest);
}

/** Makes a new challenge. */
export function makeChallenge(random: RandomInteger = randomInteger): Challenge {
  const first = hideNumber(random);
  const second = hideNumber(random);
  const key3 = Uint8Array.from({ length: KEY3_LENGTH }, () => random(0, 255));
  const parts = { part1: first.part, part2: second.part };
  return { key1: first.key, key2: second.key, key3, response: challengeResponse(parts, key3) };
}

/** Makes a key by the steps 16 to 22 of §4.1. */
export function hideNumber(random: RandomInteger): HiddenNumber {
  const spaces = random(1, MOST_INSERTED);
  const part = random(0, Math.floor(MAX_KEY_NUMBER / spaces));
  let key = String(part * spaces);
  for (let left = random(1, MOST_INSERTED); left > 0; left--) {
    key = insert(key, random(0, key.length), FILLERS[random(0, FILLERS.length - 1)] ?? "");
  }
  for (let left = spaces; left > 0; left--) {
    // "at random positions other than the start or end of the string"
    key = insert(key, random(1, key.length - 1), " ");
  }
  return { key, part };
}

function insert(text: string, at: number, character: string): string {
  return text.slice(0, at) + character + text.slice(at);
}

/** Returns the elements in a random order. All orders have the same probability. */
export function shuffle<T>(elements: readonly T[], random: RandomInteger): T[] {
  const shuffled: T[] = [];
  for (const element of elements) shuffled.splice(random(0, shuffled.length), 0, element);
  return shuffled;
}
