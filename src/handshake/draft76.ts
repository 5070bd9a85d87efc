/**
 * The opening handshake of draft76 (draft-hixie-thewebsocketprotocol-76, which is also
 * draft-ietf-hybi-thewebsocketprotocol-00).
 *
 * What breaks its rules is not answered: the connection just ends.
 *
 * @module
 */
import { challengeDigest } from "../digest/handshake_digests.ts";
import { ProtocolError } from "../errors.ts";
import { hixieRules } from "./hixie_rules.ts";
import { closingLines, fieldLine, type HixieResponse, originLine } from "./response.ts";
import { brokenRule, type HandshakeRequest, type Rule } from "./rules.ts";

/** The two numbers that a client hides in its keys (§5.2). */
export interface ChallengeParts {
  /** `Sec-WebSocket-Key1`'s number divided by its spaces, below 2³². */
  readonly part1: number;
  /** The same of `Sec-WebSocket-Key2`. */
  readonly part2: number;
}

/** The length of key3, in bytes. */
export const KEY3_LENGTH = 8;

const MAX_KEY_NUMBER = 0xffffffff;
const SPACE = 0x20;
const DIGIT_0 = 0x30;

/**
 * The draft has a client send its `Origin`, and lets a server do without (§5.1: SHOULD). As in the
 * later versions a client without one is no browser, and there is nothing to check.
 */
const RULES: readonly Rule<HandshakeRequest>[] = [
  ...hixieRules({ section: "draft76 §5.1", protocolField: "Sec-WebSocket-Protocol" }),
  {
    section: "draft76 §5.1",
    because: "Sec-WebSocket-Key1 must be sent",
    broken: (request) => !request.get("sec-websocket-key1"),
  },
  {
    section: "draft76 §5.1",
    because: "Sec-WebSocket-Key2 must be sent",
    broken: (request) => !request.get("sec-websocket-key2"),
  },
];

/**
 * Checks an opening handshake, the keys included.
 *
 * @returns What the keys say.
 * @throws {ProtocolError} With the first rule that is broken.
 */
export function checkDraft76(request: HandshakeRequest): ChallengeParts {
  const broken = brokenRule(RULES, request);
  if (broken !== undefined) throw new ProtocolError(1002, broken);
  return {
    part1: keyPart(request.get("sec-websocket-key1") ?? ""),
    part2: keyPart(request.get("sec-websocket-key2") ?? ""),
  };
}

/**
 * The number hidden in a key: its digits, all other characters left out, divided by its spaces.
 *
 * A number above 2³²−1 is refused although draft76 does not say so, as no client may send one
 * (§4.1): "this is a symptom of an attack", as the text of July 2010 added.
 *
 * @throws {ProtocolError} If the key has no digit, no space, a number above 2³²−1 or one that is no
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
      // Stopping here also keeps a long run of digits from losing precision.
      if (keyNumber > MAX_KEY_NUMBER) throw keyError(key, "its number is above 2^32-1", "§4.1");
    }
  }
  if (digits === 0) throw keyError(key, "it has no digit", "§5.2");
  if (spaces === 0) throw keyError(key, "it has no space", "§5.2");
  if (keyNumber % spaces !== 0) {
    throw keyError(key, "its number is no multiple of its spaces", "§5.2");
  }
  return keyNumber / spaces;
}

function keyError(key: string, because: string, section: string): ProtocolError {
  // A key comes from the network, and this may be logged.
  return new ProtocolError(
    1002,
    `the key ${JSON.stringify(key.slice(0, 64))} is refused: ${because} (draft76 ${section})`,
  );
}

/**
 * The head of the answer. It goes out before key3 is read, since a proxy passes key3 on only after
 * it; the 16 bytes of {@linkcode challengeResponse} come behind it.
 *
 * @returns A character for each byte, the empty line included.
 * @throws {TypeError} If a field is malformed.
 */
export function draft76Response(response: HixieResponse): string {
  return "HTTP/1.1 101 WebSocket Protocol Handshake\r\n" +
    "Upgrade: WebSocket\r\n" +
    "Connection: Upgrade\r\n" +
    originLine("Sec-WebSocket-Origin", response.origin) +
    fieldLine("Sec-WebSocket-Location", response.location) +
    closingLines("Sec-WebSocket-Protocol", response) +
    "\r\n";
}

/**
 * The proof that the request was read: 16 bytes (§5.2).
 *
 * @param parts What {@linkcode checkDraft76} returned.
 * @param key3 The 8 bytes behind the request's head, of any value.
 * @throws {TypeError} If there are not exactly 8.
 */
export function challengeResponse({ part1, part2 }: ChallengeParts, key3: Uint8Array): Uint8Array {
  if (key3.length !== KEY3_LENGTH) {
    throw new TypeError(
      `Cannot answer a challenge of ${key3.length} bytes: key3 has 8 (draft76 §5.2)`,
    );
  }
  return challengeDigest(part1, part2, key3);
}

/** The port that a URL of each scheme leaves out; an empty one is left out of both. */
const DEFAULT_PORT = { ws: /:(?:0*80)?$/, wss: /:(?:0*443)?$/ } as const;

/**
 * The URL that a client must find in the answer of draft75 and draft76 (§3.2). It has no default
 * port, even if a proxy writes one into `Host`: the client compares the URL with its own.
 *
 * @param scheme What the client used, which only the application knows behind a proxy.
 * @param host The request's `Host`, with its port if it has one.
 * @param resourceName Path and query, as they were sent.
 */
export function webSocketLocation(
  scheme: "ws" | "wss",
  { host, resourceName }: { readonly host: string; readonly resourceName: string },
): string {
  return `${scheme}://${host.replace(DEFAULT_PORT[scheme], "")}${resourceName}`;
}
