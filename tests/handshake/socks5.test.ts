import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import type { TunnelTarget } from "../../src/handshake/proxy_connect.ts";
import { ProxyError } from "../../src/handshake/proxy_error.ts";
import type { ProxyCredentials } from "../../src/handshake/proxy_url.ts";
import { Socks5Connect } from "../../src/handshake/socks5.ts";
import { fromHex, textOf } from "./support.ts";
import { feedTunnel } from "./tunnel_support.ts";

const NAME: TunnelTarget = { hostname: "a.example", port: 443 };
/** `CONNECT a.example:443`. */
const CONNECT = "05010003" + "09612e6578616d706c65" + "01bb";
const USER: ProxyCredentials = { username: "ada", password: "pä" };
/** The message of RFC 1929 for {@linkcode USER}. */
const LOGIN = "01" + "03616461" + "0370c3a4";

const opening: readonly (readonly [
  name: string,
  target: TunnelTarget,
  credentials: ProxyCredentials | undefined,
  answers: string,
  sent: string,
])[] = [
  ["a name", NAME, undefined, "0500" + "05000001000000000000", "050100" + CONNECT],
  [
    "an IPv4 address",
    { hostname: "192.0.2.7", port: 80 },
    undefined,
    "0500" + "050000017f0000010050",
    "050100" + "05010001c00002070050",
  ],
  [
    "an IPv6 address",
    { hostname: "2001:db8::1", port: 65535 },
    undefined,
    "0500" + "05000004" + "0".repeat(32) + "0050",
    "050100" + "05010004" + "20010db8000000000000000000000001" + "ffff",
  ],
  [
    "a name in the reply",
    NAME,
    undefined,
    "0500" + "05000003" + "0361626" + "3" + "0050",
    "050100" + CONNECT,
  ],
  [
    "an empty name in the reply, and a reserved byte that is set",
    NAME,
    undefined,
    "0500" + "05007703" + "00" + "0050",
    "050100" + CONNECT,
  ],
  [
    "credentials",
    NAME,
    USER,
    "0502" + "0100" + "05000001000000000000",
    "05020002" + LOGIN + CONNECT,
  ],
  [
    "credentials that the proxy does not want",
    NAME,
    USER,
    "0500" + "05000001000000000000",
    "05020002" + CONNECT,
  ],
];

describe("a SOCKS5 tunnel opens with", () => {
  for (const [name, target, credentials, answers, sent] of opening) {
    test(`${name}, and later bytes belong to it`, () => {
      const make = () => new Socks5Connect(target, credentials);
      const outcome = feedTunnel(make, fromHex(`${answers}160301`));
      assertEquals(outcome, { sent: textOf(fromHex(sent)), end: "open", rest: "\x16\x03\x01" });
      assertEquals(feedTunnel(make, fromHex(answers)), { ...outcome, rest: "" });
    });
  }
});

test("a SOCKS5 reply is refused as soon as the type of its address is there", () => {
  const connect = new Socks5Connect(NAME, undefined);
  assertEquals(connect.read(fromHex("0500")), fromHex(CONNECT));
  assertThrows(() => connect.read(fromHex("0500000900")), ProxyError, "got 0x09");
});

const refusing: readonly (readonly [
  answers: string,
  says: string,
  refusesCredentials?: boolean,
  credentials?: ProxyCredentials,
])[] = [
  [
    "05ff",
    "the proxy must accept one of the offered methods (no authentication), " +
    "got method 0xFF (RFC 1928 §3)",
    true,
  ],
  ["05ff", "(no authentication, and a user name and password), got method 0xFF", true, USER],
  ["0501", "got method 0x01 (RFC 1928 §3)"],
  ["0502", "got method 0x02 (RFC 1928 §3)"],
  ["0400", "the version must be 0x05, got 0x04 (RFC 1928 §3)"],
  ["4854545", "the version must be 0x05, got 0x48"],
  [
    "0502" + "0105",
    "the proxy refused the user name and password with status 0x05 (RFC 1929 §2)",
    true,
    USER,
  ],
  ["0502" + "0500", "the version must be 0x01, got 0x05 (RFC 1929 §2)", false, USER],
  ["0500" + "0400", "the version must be 0x05, got 0x04 (RFC 1928 §6)"],
  ["0500" + "0501", "got 0x01: general SOCKS server failure (RFC 1928 §6)"],
  ["0500" + "0502", "got 0x02: connection not allowed by ruleset"],
  ["0500" + "0503", "got 0x03: Network unreachable"],
  ["0500" + "0504", "got 0x04: Host unreachable"],
  [
    "0500" + "05050001000000000000",
    "the reply must be 0x00, got 0x05: Connection refused (RFC 1928 §6)",
  ],
  ["0500" + "0506", "got 0x06: TTL expired"],
  ["0500" + "0507", "got 0x07: Command not supported"],
  ["0500" + "0508", "got 0x08: Address type not supported"],
  ["0500" + "05ff", "got 0xFF: unassigned"],
  ["0500" + "0500000200", "the address type must be 0x01, 0x03 or 0x04, got 0x02 (RFC 1928 §5)"],
];

describe("a SOCKS5 tunnel does not open after", () => {
  for (const [answers, says, refusesCredentials = false, credentials] of refusing) {
    test(`${answers}${credentials === undefined ? "" : " with credentials"}`, () => {
      const { end } = feedTunnel(() => new Socks5Connect(NAME, credentials), fromHex(answers));
      assertInstanceOf(end, ProxyError);
      assertEquals(end.message.includes(says), true, end.message);
      assertEquals([end.status, end.refusesCredentials], [undefined, refusesCredentials]);
    });
  }

  test("all but the last byte of the reply", () => {
    for (const [, target, credentials, answers] of opening) {
      const make = () => new Socks5Connect(target, credentials);
      assertEquals(feedTunnel(make, fromHex(answers.slice(0, -2))).end, "waiting");
    }
  });
});

describe("the name of a host", () => {
  test("may have 255 bytes for SOCKS5, and not one more", () => {
    const port = 80;
    assertEquals(new Socks5Connect({ hostname: "a".repeat(255), port }).consumed, 0);
    assertThrows(
      () => new Socks5Connect({ hostname: "a".repeat(256), port }),
      TypeError,
      "the name of the host must have at most 255 bytes, got 256 (RFC 1928 §5)",
    );
  });
});
