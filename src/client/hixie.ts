/**
 * The client's side of the opening handshakes of draft75 and draft76.
 *
 * @module
 */
import { webSocketLocation } from "../handshake/draft76.ts";
import { fieldLine, fieldLines } from "../handshake/response.ts";
import { makeChallenge, randomInteger, shuffle } from "./challenge.ts";
import type { ClientHandshake, HandshakeRequest } from "./handshake.ts";
import { encodeLatin1 } from "./latin1.ts";
import type { ResponseHead } from "./response_head.ts";
import { type AnswerRule, checkAnswer, field } from "./response_rules.ts";
import type { Target } from "./target.ts";

/** What an answer is checked against. */
interface Facts {
  readonly head: ResponseHead;
  readonly origin: string;
  readonly location: string;
  readonly subprotocol: string | undefined;
}

const SECTION_75 = "draft75, client-side requirements";
const SECTION_76 = "draft76 §4.1";

/** "If the first bytes are not exactly equal": draft75 compares these 85, and has nothing else. */
const START_75 = "HTTP/1.1 101 Web Socket Protocol Handshake\r\n" +
  "Upgrade: WebSocket\r\n" +
  "Connection: Upgrade\r\n";

/** A field that must be there once, with a value of which each byte counts. */
function exactly(
  section: string,
  name: string,
  expected: (facts: Facts) => string | undefined,
): AnswerRule<Facts> {
  const lowerCase = name.toLowerCase();
  return {
    section,
    must: (facts) => `${name} must be sent once, as "${expected(facts)}"`,
    came: field(lowerCase),
    broken: (facts) => {
      const value = expected(facts);
      const [came, ...others] = facts.head.values(lowerCase);
      // One space may follow the colon, and any other is of the value.
      return value !== undefined && (others.length > 0 || came?.replace(/^ /, "") !== value);
    },
  };
}

const RULES_75: readonly AnswerRule<Facts>[] = [
  {
    section: SECTION_75,
    must: () => `the answer must begin with ${JSON.stringify(START_75)}`,
    came: ({ head }) => head.text.slice(0, START_75.length),
    broken: ({ head }) => !head.text.startsWith(START_75),
  },
  exactly(SECTION_75, "WebSocket-Origin", ({ origin }) => origin),
  exactly(SECTION_75, "WebSocket-Location", ({ location }) => location),
  exactly(SECTION_75, "WebSocket-Protocol", ({ subprotocol }) => subprotocol),
];

const RULES_76: readonly AnswerRule<Facts>[] = [
  {
    section: SECTION_76,
    must: () => "the status code must stand between two spaces",
    came: ({ head }) => head.statusLine,
    broken: ({ head }) => head.statusLine.split(" ").length < 3,
  },
  exactly(SECTION_76, "Upgrade", () => "WebSocket"),
  {
    section: SECTION_76,
    must: () => `Connection must be sent once, as "Upgrade"`,
    came: field("connection"),
    broken: ({ head }) => head.get("connection")?.toLowerCase() !== "upgrade",
  },
  exactly(SECTION_76, "Sec-WebSocket-Origin", ({ origin }) => origin),
  exactly(SECTION_76, "Sec-WebSocket-Location", ({ location }) => location),
  exactly(SECTION_76, "Sec-WebSocket-Protocol", ({ subprotocol }) => subprotocol),
];

/** Makes a handshake of draft75. @throws {TypeError} If a field is malformed. */
export function draft75Handshake(asked: HandshakeRequest): ClientHandshake {
  const facts = factsOf(asked);
  const { subprotocol, origin } = facts;
  // The order and the case of these are the draft's.
  const head = requestLine(asked.target) +
    "Upgrade: WebSocket\r\n" +
    "Connection: Upgrade\r\n" +
    fieldLine("Host", asked.target.host) +
    fieldLine("Origin", origin) +
    (subprotocol === undefined ? "" : fieldLine("WebSocket-Protocol", subprotocol)) +
    fieldLines(asked.headers) +
    "\r\n";
  return {
    request: encodeLatin1(head),
    proof: new Uint8Array(0),
    mayInform: false,
    check: (head) => agree(RULES_75, { ...facts, head }),
  };
}

/** Makes a handshake of draft76 with a new challenge. @throws {TypeError} If a field is malformed. */
export function draft76Handshake(asked: HandshakeRequest): ClientHandshake {
  const facts = factsOf(asked);
  const { subprotocol, origin } = facts;
  const { key1, key2, key3, proof } = makeChallenge();
  const lines = [
    "Upgrade: WebSocket\r\n",
    "Connection: Upgrade\r\n",
    fieldLine("Host", asked.target.host),
    fieldLine("Origin", origin),
    fieldLine("Sec-WebSocket-Key1", key1),
    fieldLine("Sec-WebSocket-Key2", key2),
    ...(subprotocol === undefined ? [] : [fieldLine("Sec-WebSocket-Protocol", subprotocol)]),
    ...asked.headers.map(([name, value]) => fieldLine(name, value)),
  ];
  // "randomly shuffled": so that nobody comes to rely on an order.
  const fields = shuffle(lines, randomInteger).join("");
  const key3Text = String.fromCharCode(...key3);
  return {
    request: encodeLatin1(`${requestLine(asked.target)}${fields}\r\n${key3Text}`),
    proof,
    mayInform: false,
    check: (head) => agree(RULES_76, { ...facts, head }),
  };
}

function requestLine(target: Target): string {
  return `GET ${target.resourceName} HTTP/1.1\r\n`;
}

/** What a client compares, with the origin that it sends: in lower case, and never without one. */
function factsOf({ target, origin, subprotocols }: HandshakeRequest): Omit<Facts, "head"> {
  const { secure, host, resourceName } = target;
  return {
    origin: (origin ?? `${secure ? "https" : "http"}://${host}`).toLowerCase(),
    location: webSocketLocation(secure ? "wss" : "ws", { host, resourceName }),
    subprotocol: subprotocols[0],
  };
}

function agree(
  rules: readonly AnswerRule<Facts>[],
  facts: Facts,
): { subprotocol: string | undefined; deflate: undefined } {
  checkAnswer(rules, facts);
  return { subprotocol: facts.subprotocol, deflate: undefined };
}
