/**
 * Every known difference in what servers accept as an opening handshake, with the rule.
 *
 * @module
 */
import { latin1Text } from "../../support/bytes.ts";
import type { Opening } from "./heads.ts";

/** A request head, read loosely: LF ends a line too. */
export interface Head {
  readonly text: string;
  readonly version: Opening["version"];
  readonly method: string;
  readonly target: string;
  readonly httpVersion: string;
  /** The values of all fields of a name, in lower case. */
  all(name: string): readonly string[];
}

/** One row. */
export interface HeadDifference {
  readonly peers: readonly string[];
  readonly section: string;
  readonly rule: string;
  /** What we do with such a request; the peer does the other. */
  readonly ours: "accepts" | "refuses";
  /** Changes of a valid request of RFC 6455 that show it. */
  readonly example: (lines: readonly string[]) => readonly string[];
  readonly explains: (head: Head) => boolean;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";

/** The grammar of RFC 9112 for a request without a body, with a path or an absolute URL. */
const GRAMMAR = new RegExp(
  `^(\\r\\n)?${TOKEN} (/|https?://)[!-"$-~]* HTTP/[0-9]\\.[0-9]\\r\\n` +
    `(${TOKEN}:[ \\t]*[^\\0\\r\\n]*\\r\\n)+\\r\\n`,
);

/** Reads a request. */
export function readHead({ bytes, version }: Opening): Head {
  const text = latin1Text(bytes);
  const [requestLine = "", ...lines] = text.replace(/^\r\n/, "").replace(/\r?\n[ \t]+/g, " ")
    .split(/\r?\n/);
  const [method = "", target = "", httpVersion = ""] = requestLine.split(" ");
  const fields = lines.slice(0, Math.max(0, lines.indexOf(""))).map((line) => {
    const [name = "", ...values] = line.split(":");
    return [name.trim().toLowerCase(), values.join(":").trim()] as const;
  });
  const all = (wanted: string) =>
    fields.filter(([name]) => name === wanted).map(([, value]) => value);
  return { text, version, method, target, httpVersion, all };
}

function listHas(head: Head, name: string, wanted: string): boolean {
  return head.all(name).join().split(",").some((item) => item.trim().toLowerCase() === wanted);
}

/** A function that replaces the lines of a field. */
function replaced(name: string, ...values: readonly string[]): HeadDifference["example"] {
  return (lines) => [
    ...lines.filter((line) => !line.startsWith(`${name}:`)),
    ...values.map((value) => `${name}: ${value}`),
  ];
}

function isHost(value: string): boolean {
  return /^([\w.-]+|\[[0-9a-f:.]+\])(:\d*)?$/i.test(value);
}

/** What others accept, and we do not. */
const STRICTER: readonly HeadDifference[] = [
  {
    peers: ["websocket-driver"],
    section: "RFC 9112 §3 and §5",
    rule: "the grammar of a request",
    ours: "refuses",
    example: replaced("X", "a\r\n b"),
    explains: ({ text }) => !GRAMMAR.test(text),
  },
  {
    peers: ["Bun.serve"],
    section: "RFC 9112 §3.2",
    rule: "the request-target consists of ASCII characters",
    ours: "refuses",
    example: ([, ...fields]) => ["GET /?\xe9 HTTP/1.1", ...fields],
    explains: ({ target }) => !/^[!-~]*$/.test(target),
  },
  {
    peers: ["Deno.serve"],
    section: "RFC 9112 §2.2",
    rule: "a recipient MAY recognize LF alone as the end of a line",
    ours: "refuses",
    example: (lines) => [lines.join("\n")],
    explains: ({ text }) => /(^|[^\r])\n/.test(text),
  },
  {
    peers: ["Deno.serve"],
    section: "RFC 6455 §4.2.1",
    rule: "the method is GET",
    ours: "refuses",
    example: ([, ...fields]) => ["HEAD / HTTP/1.1", ...fields],
    explains: ({ method }) => method !== "GET",
  },
  {
    peers: ["ws", "websocket-driver", "Bun.serve"],
    section: "RFC 6455 §4.2.1",
    rule: "the request is of HTTP/1.1 or higher",
    ours: "refuses",
    example: ([, ...fields]) => ["GET / HTTP/1.0", ...fields],
    explains: ({ httpVersion }) => httpVersion !== "HTTP/1.1",
  },
  {
    peers: ["Bun.serve"],
    section: "RFC 6455 §4.2.1",
    rule: "Connection includes the token Upgrade",
    ours: "refuses",
    example: replaced("Connection", "close"),
    explains: (head) => !listHas(head, "connection", "upgrade"),
  },
  {
    peers: ["websocket-driver", "Deno.serve"],
    section: "RFC 6455 §4.2.1 and §11.3.1",
    rule: "Sec-WebSocket-Key is sent once, and has 16 bytes in base64",
    ours: "refuses",
    example: replaced("Sec-WebSocket-Key", "x"),
    explains: (head) => {
      const [key = "", ...others] = head.all("sec-websocket-key");
      return others.length > 0 || !/^[A-Za-z0-9+/]{22}==$/.test(key);
    },
  },
  {
    peers: ["Deno.serve"],
    section: "RFC 6455 §4.2.1 and §11.3.5",
    rule: "Sec-WebSocket-Version is sent once, with a version of the server",
    ours: "refuses",
    example: replaced("Sec-WebSocket-Version", "14"),
    explains: (head) => head.all("sec-websocket-version").join() !== "13",
  },
  {
    peers: ["websocket-driver", "Bun.serve", "Deno.serve"],
    section: "RFC 6455 §4.1 and §11.3.4",
    rule: "Sec-WebSocket-Protocol has one or more tokens, all different",
    ours: "refuses",
    example: replaced("Sec-WebSocket-Protocol", "a, a"),
    explains: (head) => {
      const values = head.all("sec-websocket-protocol");
      const names = values.join().split(",").map((name) => name.trim()).filter((name) => name);
      const isList = names.every((name) => new RegExp(`^${TOKEN}$`).test(name));
      return values.length > 0 &&
        !(isList && names.length > 0 && new Set(names).size === names.length);
    },
  },
  {
    peers: ["Bun.serve", "Deno.serve"],
    section: "RFC 6455 §9.1",
    rule: "a malformed Sec-WebSocket-Extensions MUST fail the connection",
    ours: "refuses",
    example: replaced("Sec-WebSocket-Extensions", "foo;;"),
    explains: (head) => /^$|;;|; ?=/.test(head.all("sec-websocket-extensions")[0] ?? "-"),
  },
  {
    peers: ["ws", "websocket-driver", "Bun.serve", "Deno.serve"],
    section: "RFC 9112 §3.2",
    rule: "Host is sent once, and is a host with an optional port",
    ours: "refuses",
    example: replaced("Host", "a b"),
    explains: (head) => {
      const [host = "", ...others] = head.all("host");
      return others.length > 0 || !isHost(host);
    },
  },
  {
    peers: ["ws", "websocket-driver", "Bun.serve", "Deno.serve"],
    section: "RFC 6455 §10.2, draft76 §5.1",
    rule: "a server SHOULD check the origin",
    ours: "refuses",
    example: replaced("Origin", "http://other.example"),
    explains: (head) => {
      const [origin = "", ...others] = head.all("origin");
      return others.length > 0 || origin !== `http://${head.all("host")[0]}`;
    },
  },
  {
    peers: ["ws", "websocket-driver", "Bun.serve"],
    section: "RFC 9110 §9.3.1, RFC 9112 §11.2",
    rule: "a handshake has no body, and a Content-Length is a number",
    ours: "refuses",
    example: replaced("Content-Length", "5"),
    explains: (head) =>
      head.all("transfer-encoding").length > 0 ||
      head.all("content-length").some((length) => length !== "0"),
  },
];

/** What we accept, and others do not. */
const MORE_TOLERANT: readonly HeadDifference[] = [
  {
    peers: ["ws", "websocket-driver", "Deno.serve"],
    section: "RFC 9110 §7.8",
    rule: "Upgrade is a list of protocols, which may be sent in several fields",
    ours: "accepts",
    example: replaced("Upgrade", "foo, websocket"),
    explains: (head) => head.all("upgrade").join().toLowerCase() !== "websocket",
  },
  {
    peers: ["ws", "websocket-driver", "Bun.serve"],
    section: "RFC 6455 §4.4",
    rule: "a server may support several versions",
    ours: "accepts",
    example: replaced("Sec-WebSocket-Version", "7"),
    explains: (head) => ["7", "8"].includes(head.all("sec-websocket-version").join()),
  },
  {
    peers: ["Bun.serve"],
    section: "RFC 9112 §2.2",
    rule: "a server SHOULD ignore an empty line before the request",
    ours: "accepts",
    example: ([first, ...fields]) => [`\r\n${first}`, ...fields],
    explains: ({ text }) => text.startsWith("\r\n"),
  },
  {
    peers: ["ws", "Bun.serve", "Deno.serve"],
    section: "RFC 9110 §5.5",
    rule: "a recipient may keep control characters in a value, other than CR, LF and NUL",
    ours: "accepts",
    example: replaced("X", "\x01"),
    // deno-lint-ignore no-control-regex
    explains: ({ text }) => /[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text),
  },
  {
    peers: ["Deno.serve"],
    section: "RFC 9110 §8.6",
    rule: "a request without a body may have Content-Length: 0",
    ours: "accepts",
    example: replaced("Content-Length", "0"),
    explains: (head) => head.all("content-length").length > 0,
  },
  {
    peers: ["ws"],
    section: "RFC 7692 §5.1",
    rule: "a server declines an offer with a wrong parameter",
    ours: "accepts",
    example: replaced("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits=7"),
    explains: (head) => head.all("sec-websocket-extensions").join().includes("permessage-deflate;"),
  },
];

/** All rows. */
export const HEAD_DIFFERENCES: readonly HeadDifference[] = [...STRICTER, ...MORE_TOLERANT];

/** Whether two servers do the same, or a row explains why not. */
export function isExplained(
  peer: string,
  opening: Opening,
  { ours, theirs }: { readonly ours: string; readonly theirs: string },
): boolean {
  if (ours === theirs) return true;
  const head = readHead(opening);
  // Two servers that accept must prove it in the same way.
  return (ours === "refused") !== (theirs === "refused") &&
    HEAD_DIFFERENCES.some((row) =>
      row.peers.includes(peer) && (row.ours === "refuses") === (ours === "refused") &&
      row.explains(head)
    );
}
