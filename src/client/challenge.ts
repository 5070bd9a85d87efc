/**
 * The challenge of draft76 (§4.1): two numbers hidden in keys, and eight bytes.
 *
 * @module
 */
import { challengeResponse, KEY3_LENGTH } from "../handshake/draft76.ts";

/** What a client sends, and what proves that the server has read it. */
export interface Challenge {
  /** The value of `Sec-WebSocket-Key1`. */
  readonly key1: string;
  /** The value of `Sec-WebSocket-Key2`. */
  readonly key2: string;
  /** The 8 bytes behind the request's head. */
  readonly key3: Uint8Array;
  /** The 16 bytes that must come behind the answer's head. */
  readonly proof: Uint8Array;
}

/** A number hidden in a key. */
export interface HiddenNumber {
  readonly key: string;
  /** The number of the key divided by its spaces. */
  readonly part: number;
}

/** A random whole number from `lowest` to `highest`. */
export type RandomInteger = (lowest: number, highest: number) => number;

const MAX_KEY_NUMBER = 0xffffffff;
/** Both the spaces and the other characters are 1 to 12. */
const MOST_INSERTED = 12;
/** U+0021 to U+002F and U+003A to U+007E: neither spaces nor digits. */
const FILLERS = [[0x21, 0x2f], [0x3a, 0x7e]].flatMap(([from = 0, to = 0]) =>
  Array.from({ length: to - from + 1 }, (_, i) => String.fromCharCode(from + i))
);

/** A number that nobody can predict, each as likely as the others. */
export function randomInteger(lowest: number, highest: number): number {
  const range = highest - lowest + 1;
  // Beyond the last multiple, the lower remainders would come more often.
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
  return { key1: first.key, key2: second.key, key3, proof: challengeResponse(parts, key3) };
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

/** The same elements in a random order, each as likely as the others. */
export function shuffle<T>(elements: readonly T[], random: RandomInteger): T[] {
  const shuffled: T[] = [];
  for (const element of elements) shuffled.splice(random(0, shuffled.length), 0, element);
  return shuffled;
}
