/**
 * Seeded request heads, valid and broken, and whether a server accepts them.
 *
 * @module
 */
import { type Dice, join, mutate } from "../../fuzz/mutate.ts";
import { latin1Bytes, latin1Text } from "../../support/bytes.ts";
import { RawClient } from "../../support/raw_client.ts";
import type { Subject } from "./conversation.ts";

/** The versions whose requests are compared. */
type Version = "rfc6455" | "draft76" | "draft75";

/** A request. */
export interface Opening {
  readonly version: Version;
  /** All bytes, with key3 in draft76. */
  readonly bytes: Uint8Array;
}

type Lines = readonly string[];

const COMMON = ["GET / HTTP/1.1", "Host: localhost", "Connection: Upgrade"];

/** The lines of a valid request of each version. */
export const VALID: Readonly<Record<Version, Lines>> = {
  "rfc6455": [
    ...COMMON,
    "Upgrade: websocket",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
  ],
  "draft76": [
    ...COMMON,
    "Upgrade: WebSocket",
    "Origin: http://localhost",
    "Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5",
    "Sec-WebSocket-Key2: 12998 5 Y3 1  .P00",
  ],
  "draft75": [...COMMON, "Upgrade: WebSocket", "Origin: http://localhost"],
};

/** key3 of the draft's first example. */
const KEY3 = latin1Bytes("^n:ds[4U");

/** Other values of fields. */
const VALUES: Readonly<Record<string, Lines>> = {
  "Host": ["a.example:80", "", "a b", "a,b", "[::1]:1"],
  "Upgrade": [
    "WEBSOCKET",
    "websocket, foo",
    "foo, websocket",
    "websocket/13",
    "h2c",
    "",
    "websockets",
  ],
  "Connection": [
    "upgrade",
    "keep-alive, Upgrade",
    "Upgrade,close",
    "close",
    "",
    "Upgrades",
    ",Upgrade",
  ],
  "Origin": ["http://other.example", "null", ""],
  "Sec-WebSocket-Key": [
    ...["dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25j", "dGhlIHNhbXBsZSBub25jZQ==x", "", "x"],
    ...["AAAAAAAAAAAAAAAAAAAAAA==", "dGhlIHNhbXBsZSBub25jZR==", "dGhl HNhbXBsZSBub25jZQ=="],
  ],
  "Sec-WebSocket-Version": ["12", "14", "0", "013", "+13", "13, 8", "8, 13", "", "8", "7", "13;a"],
  "Sec-WebSocket-Key1": ["", "1 2", "123", "  ", "1 1", "4294967296 1", "3 2"],
  "Sec-WebSocket-Key2": ["", "1 2", "123", "  ", "1 1", "99999999999999999999 1"],
};

/** Further fields. */
const MORE: Lines = [
  ...["Content-Length: 5", "Content-Length: 0", "Content-Length: x", "Transfer-Encoding: chunked"],
  ...[
    "Sec-WebSocket-Protocol: chat",
    "Sec-WebSocket-Protocol: chat, chat",
    "Sec-WebSocket-Protocol: ",
  ],
  ...["Sec-WebSocket-Protocol: a b", "Sec-WebSocket-Protocol: ,", "Sec-WebSocket-Extensions: "],
  ...["Sec-WebSocket-Extensions: foo; bar=1", "Sec-WebSocket-Extensions: permessage-deflate; =1"],
  ...["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=7", "Origin: null"],
  ...["Sec-WebSocket-Extensions: foo;;", "Sec-WebSocket-Extensions: permessage-deflate; a; a"],
  ...[
    "X: \x00",
    "X: \x80\xff",
    "X: a\rb",
    "X : a",
    "X",
    ": a",
    "X(: a",
    " X: a",
    "X: a\r\n b",
    "X: \x01",
  ],
];

function pick<Item>(next: Dice, items: readonly Item[]): Item {
  return items[next(items.length)] as Item; // the lists are not empty
}

/** Changes of a valid request. The first line is the request line. */
const CHANGES: readonly ((next: Dice, lines: Lines) => Lines)[] = [
  (next, [, ...fields]) => [pick(next, METHODS) + " / HTTP/1.1", ...fields],
  (next, [, ...fields]) => [`GET / ${pick(next, HTTP_VERSIONS)}`, ...fields],
  (next, [, ...fields]) => [`GET ${pick(next, TARGETS)} HTTP/1.1`, ...fields],
  (next, lines) => lines.toSpliced(1 + next(lines.length - 1), 1),
  (next, lines) => [...lines, pick(next, lines.slice(1))],
  (next, lines) => lines.toSpliced(1 + next(lines.length), 0, pick(next, MORE)),
  (next, lines) => withField(next, lines, (name, value) => `${name.toLowerCase()}:${value}`),
  (next, lines) => withField(next, lines, (name, value) => `${name.toUpperCase()}: \t${value} \t`),
  (next, lines) => withField(next, lines, (name, value) => `${name} :${value}`),
  (next, lines) => withField(next, lines, (name, value) => `${name}:\r\n ${value}`),
  changeValue,
  changeValue,
  changeValue,
  (next, lines) => [...lines, ...changeValue(next, lines).filter((line) => !lines.includes(line))],
];

const METHODS: Lines = ["POST", "get", "HEAD", "OPTIONS", "PUT", "G", ""];
const HTTP_VERSIONS: Lines = [
  "HTTP/1.0",
  "HTTP/1.2",
  "HTTP/2.0",
  "HTTP/0.9",
  "http/1.1",
  "",
  "HTTP/1.10",
];
const TARGETS: Lines = [
  "http://localhost/",
  "*",
  "x",
  "/#a",
  "/ a",
  "/%00",
  "/?\xe9",
  "//",
  "localhost:80",
];

function withField(
  next: Dice,
  lines: Lines,
  change: (name: string, value: string) => string,
): Lines {
  const at = 1 + next(lines.length - 1);
  const [name = "", value = ""] = (lines[at] ?? "").split(": ");
  return lines.with(at, change(name, value));
}

function changeValue(next: Dice, lines: Lines): Lines {
  const names = Object.keys(VALUES).filter((name) =>
    lines.some((line) => line.startsWith(`${name}: `))
  );
  if (names.length === 0) return lines;
  const name = pick(next, names);
  const at = lines.findIndex((line) => line.startsWith(`${name}: `));
  return lines.with(at, `${name}: ${pick(next, VALUES[name] ?? [""])}`);
}

/** A request, mostly with one or two changes. */
export function randomOpening(next: Dice, version: Version): Opening {
  let lines = VALID[version];
  for (let changes = pick(next, [0, 1, 1, 1, 1, 2]); changes > 0 && lines.length > 1; changes--) {
    lines = pick(next, CHANGES)(next, lines);
  }
  const end = next(40) === 0 ? "\n" : "\r\n";
  const head = latin1Bytes((next(40) === 0 ? "\r\n" : "") + [...lines, "", ""].join(end));
  const broken = next(8) === 0 ? mutate(next, head) : head;
  return { version, bytes: version === "draft76" ? join([broken, KEY3]) : broken };
}

/** How long to wait for an answer, in milliseconds. */
export interface Patience {
  /** Before the client's FIN. */
  readonly before: number;
  /** After it. */
  readonly after: number;
}

/** Enough for most servers. Those that wait for more of the request cost this time. */
const QUICK: Patience = { before: 200, after: 5000 };

/** Enough for a server on a machine that is busy. */
export const PATIENT: Patience = { before: 10_000, after: 10_000 };

/** The answer, with the 16 bytes after it in draft76. Sends FIN if there is none. */
async function answerTo(
  client: RawClient,
  version: Version,
  { before, after }: Patience,
): Promise<string> {
  let answer = "";
  try {
    answer = latin1Text(await client.readThrough("\r\n\r\n", before));
    const isOpen = version === "draft76" && answer.startsWith("HTTP/1.1 101 ");
    return isOpen ? answer + latin1Text(await client.read(16, before)) : answer;
  } catch {
    // The server may be slow, or wait for more.
    client.end();
    return answer + latin1Text(await client.readToEnd(after).catch(() => client.unread));
  }
}

/** Sends a request. Returns `accepted` and what proves that the server has read it, or `refused`. */
export async function ask(
  { port }: Subject,
  { bytes, version }: Opening,
  patience: Patience = QUICK,
): Promise<string> {
  const client = await RawClient.connect({ port });
  try {
    client.write(bytes);
    const answer = await answerTo(client, version, patience);
    if (!answer.startsWith("HTTP/1.1 101 ")) return "refused";
    const proof = version === "draft76"
      ? latin1Bytes(answer.slice(answer.indexOf("\r\n\r\n") + 4)).join()
      : /^sec-websocket-accept: *(.*)$/im.exec(answer)?.[1] ?? "";
    return version === "draft76" && proof === "" ? "refused" : `accepted ${proof}`.trim();
  } finally {
    await client.destroy();
  }
}
