import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { canonicalAddress } from "../../src/handshake/ip_address.ts";

describe("the canonical text of an address", () => {
  const rows: [text: string, canonical: string | undefined][] = [
    ["1.2.3.4", "1.2.3.4"],
    ["0.0.0.0", "0.0.0.0"],
    ["255.255.255.255", "255.255.255.255"],
    ["::1", "::1"],
    ["::", "::"],
    ["2001:DB8:0::1", "2001:db8::1"],
    ["2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["::ffff:1.2.3.4", "1.2.3.4"],
    ["::FFFF:0102:0304", "1.2.3.4"],
    ["::ffff:0:0", "0.0.0.0"],
    ["64:ff9b::1.2.3.4", "64:ff9b::102:304"],
    ...[
      "",
      "unknown",
      "_hidden",
      "example.com",
      "1.2.3",
      "1.2.3.4.",
      "1.2.3.4.5",
      "1.2.3.256",
      "01.2.3.4",
      "0x1.2.3.4",
      "16909060",
      " 1.2.3.4",
      "1.2.3.4\n",
      "1.2.3.4:80",
      ":",
      ":::",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1::2::3",
      "12345::",
      "g::",
      "::1%eth0",
      "[::1]",
      "::1]/[::1",
      "::ffff:1.2.3",
      "\u0661.2.3.4",
    ].map((text): [string, undefined] => [text, undefined]),
  ];
  for (const [text, canonical] of rows) {
    test(JSON.stringify(text), () => assertEquals(canonicalAddress(text), canonical));
  }
});
