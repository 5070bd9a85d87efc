/**
 * The client's side of the opening handshake of RFC 6455 (§4.1), and of hybi-07 and hybi-08.
 *
 * @module
 */
import { acceptKey } from "../digest/handshake_digests.ts";
import { listHasToken } from "../handshake/grammar.ts";
import { fieldLine, fieldLines } from "../handshake/response.ts";
import { versionNumber, type WebSocketVersion } from "../handshake/versions.ts";
import { agreeOnExtensions, DeflateOffer } from "./deflate_offer.ts";
import type { ClientHandshake, HandshakeRequest } from "./handshake.ts";
import { encodeLatin1 } from "./latin1.ts";
import type { ResponseHead } from "./response_head.ts";
import { type AnswerRule, checkAnswer, field } from "./response_rules.ts";

/** What an answer is checked against. */
interface Facts {
  readonly head: ResponseHead;
  /** The `Sec-WebSocket-Accept` of the key that was sent. */
  readonly accept: string;
  readonly subprotocols: readonly string[];
}

const SECTION = "RFC 6455 §4.1";

const RULES: readonly AnswerRule<Facts>[] = [
  {
    section: SECTION,
    must: () => "Upgrade must be websocket",
    came: field("upgrade"),
    broken: ({ head }) => head.get("upgrade")?.toLowerCase() !== "websocket",
  },
  {
    section: SECTION,
    must: () => "Connection must include Upgrade",
    came: field("connection"),
    broken: ({ head }) => !listHasToken(head.get("connection") ?? "", "upgrade"),
  },
  {
    section: SECTION,
    must: ({ accept }) => `Sec-WebSocket-Accept must be sent once, as "${accept}"`,
    came: field("sec-websocket-accept"),
    broken: ({ head, accept }) => head.get("sec-websocket-accept") !== accept,
  },
  {
    section: SECTION,
    must: ({ subprotocols }) =>
      subprotocols.length === 0
        ? "Sec-WebSocket-Protocol must not be sent where no subprotocol was asked for"
        : `Sec-WebSocket-Protocol must be one of ${subprotocols.join(", ")}`,
    came: field("sec-websocket-protocol"),
    broken: ({ head, subprotocols }) => {
      const chosen = head.get("sec-websocket-protocol");
      return chosen !== undefined && !subprotocols.includes(chosen);
    },
  },
];

/** Makes a handshake with a new key. @throws {TypeError} If a field is malformed. */
export function rfc6455Handshake(asked: HandshakeRequest): ClientHandshake {
  const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
  const accept = acceptKey(key);
  const { subprotocols } = asked;
  const offer = DeflateOffer.of(asked.compression);
  return {
    request: encodeLatin1(requestHead(asked, key, offer)),
    proof: new Uint8Array(0),
    mayInform: true,
    check: (head) => {
      checkAnswer(RULES, { head, accept, subprotocols });
      return {
        subprotocol: head.get("sec-websocket-protocol"),
        deflate: agreeOnExtensions(head.get("sec-websocket-extensions"), offer),
      };
    },
  };
}

function requestHead(
  asked: HandshakeRequest,
  key: string,
  offer: DeflateOffer | undefined,
): string {
  const { version, target, origin, subprotocols, headers } = asked;
  return `GET ${target.resourceName} HTTP/1.1\r\n` +
    fieldLine("Host", target.host) +
    "Upgrade: websocket\r\n" +
    "Connection: Upgrade\r\n" +
    `Sec-WebSocket-Key: ${key}\r\n` +
    `Sec-WebSocket-Version: ${versionNumber(version)}\r\n` +
    (origin === undefined ? "" : fieldLine(originField(version), origin)) +
    (subprotocols.length === 0
      ? ""
      : fieldLine("Sec-WebSocket-Protocol", subprotocols.join(", "))) +
    (offer === undefined ? "" : fieldLine("Sec-WebSocket-Extensions", offer.value)) +
    fieldLines(headers) +
    "\r\n";
}

/** Version 8 had it so up to hybi-10, which is what browsers shipped. */
function originField(version: WebSocketVersion): string {
  return version === "rfc6455" ? "Origin" : "Sec-WebSocket-Origin";
}
