/**
 * The answers of proxies. Whatever arrives, the handshakes throw only `ProxyError`, and the result does
 * not depend on how the bytes are split.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { ProxyConnect } from "../../src/handshake/proxy_connect.ts";
import { Socks5Connect } from "../../src/handshake/socks5.ts";
import type { TunnelHandshake } from "../../src/transport/transport.ts";
import { feedPieces } from "../handshake/tunnel_support.ts";
import { latin1Bytes } from "../support/bytes.ts";
import { cut, type Dice, mutate } from "./mutate.ts";

const TARGET = { hostname: "a.example", port: 443 };
const USER = { username: "ada", password: "secret" };

const HTTP: readonly string[] = [
  "HTTP/1.1 200 Connection established\r\n\r\n",
  "HTTP/1.0 200 OK\r\nProxy-agent: a\r\nContent-Length: 3\r\n\r\nabc",
  "HTTP/1.1 100 \r\n\r\nHTTP/1.1 200 OK\r\n\r\n\x16\x03",
  "HTTP/1.1 407 Log in\r\nProxy-Authenticate: Basic\r\n\r\n",
];

const SOCKS5: readonly string[] = [
  "\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50",
  "\x05\x02\x01\x00\x05\x00\x00\x03\x01a\x00\x50\x16\x03",
  `\x05\x00\x05\x00\x00\x04${"\x00".repeat(18)}`,
  "\x05\x02\x01\x01",
];

function pick<Item>(next: Dice, [first, ...others]: readonly Item[]): Item {
  return [first, ...others][next(1 + others.length)] as Item; // the lists are not empty
}

/** Feeds answers that were changed at random, whole and in pieces. */
export function fuzzTunnel(next: Dice): void {
  const isHttp = next(2) === 0;
  const limits = { maxHeaderSize: 60 + next(60), maxHeaderCount: 1 + next(3) };
  const user = next(2) === 0 ? USER : undefined;
  const make = (): TunnelHandshake =>
    isHttp ? new ProxyConnect(TARGET, limits, user) : new Socks5Connect(TARGET, user);
  const good = latin1Bytes(pick(next, isHttp ? HTTP : SOCKS5));
  const answers = next(4) === 0 ? good : mutate(next, good);
  const whole = feedPieces(make(), [answers]);
  const pieces = feedPieces(make(), cut(next, answers));
  assertEquals(
    [pieces.sent, String(pieces.end), pieces.rest],
    [whole.sent, String(whole.end), whole.rest],
  );
}
