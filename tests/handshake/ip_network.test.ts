import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { addressGroup, includesAddress, parseNetwork } from "../../src/handshake/ip_network.ts";

/** Ranges, with addresses inside and outside. */
const ranges: readonly (readonly [range: string, inside: string[], outside: string[]])[] = [
  ["10.0.0.1", ["10.0.0.1", "::ffff:10.0.0.1", "::FFFF:0a00:0001"], ["10.0.0.2", "::10.0.0.1"]],
  ["10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], ["9.255.255.255", "11.0.0.0"]],
  ["172.16.0.0/12", ["172.16.0.0", "172.31.255.255"], ["172.15.255.255", "172.32.0.0"]],
  ["192.0.2.0/24", ["192.0.2.0", "192.0.2.255"], ["192.0.1.255", "192.0.3.0"]],
  ["192.0.2.128/25", ["192.0.2.128", "192.0.2.255"], ["192.0.2.127"]],
  ["192.0.2.7/32", ["192.0.2.7"], ["192.0.2.6", "192.0.2.8"]],
  ["0.0.0.0/0", ["0.0.0.0", "255.255.255.255", "::ffff:1.2.3.4"], ["::", "::1"]],
  ["0.0.0.0/1", ["127.255.255.255"], ["128.0.0.0"]],
  ["::ffff:10.0.0.0/104", ["10.1.2.3", "::ffff:10.1.2.3"], ["11.0.0.0"]],
  ["::ffff:0:0/96", ["1.2.3.4"], ["::1"]],
  ["::1", ["::1", "0:0:0:0:0:0:0:1"], ["::2", "0.0.0.1"]],
  ["2001:db8::/32", ["2001:db8::", "2001:DB8:ffff::1"], ["2001:db9::", "2001:db7:ffff::"]],
  ["2001:db8:0:8000::/49", ["2001:db8:0:ffff::1"], ["2001:db8:0:7fff::1"]],
  ["2001:db8::1/128", ["2001:db8::1"], ["2001:db8::2"]],
  ["::/0", ["::", "2001:db8::1", "fe80::1%eth0"], ["1.2.3.4", "::ffff:1.2.3.4"]],
  ["fe80::/10", ["fe80::1", "febf::1", "fe80::1%eth0"], ["fec0::1"]],
  ["fe80::1%eth0", ["fe80::1%eth0"], ["fe80::1", "fe80::1%eth1", "fe80::2%eth0"]],
];

describe("a range of addresses", () => {
  for (const [range, inside, outside] of ranges) {
    test(range, () => {
      const network = parseNetwork(range);
      if (network === undefined) throw new Error(`${range} is refused`);
      for (const address of inside) {
        assertEquals(includesAddress([network], address), true, address);
      }
      for (const address of outside) {
        assertEquals(includesAddress([network], address), false, address);
      }
      for (const text of ["", "unknown", "1.2.3", "%", "1.2.3.4/32"]) {
        assertEquals(includesAddress([network], text), false, text);
      }
    });
  }

  const malformed = [
    "",
    "/",
    "/8",
    "localhost",
    "unix",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/08",
    "10.0.0.0/8.0",
    "10.0.0.0/8/8",
    "10.0.0.0/255.0.0.0",
    "10.0.0/8",
    "10.0.0.0 /8",
    " 10.0.0.0/8",
    "10.0.0.0/8\n",
    "10.0.0.1/8",
    "10.0.0.0:80",
    "*",
    "::/129",
    "::/1000",
    "2001:db8::1/32",
    "::ffff:10.0.0.0/8",
    "::ffff:10.0.0.0/95",
    "::ffff:0.0.0.0/95",
    "::ffff:10.0.0.1/104",
    "[::1]",
    "fe80::1%",
    "fe80::1%a%b",
  ];
  for (const text of malformed) {
    test(`is not ${JSON.stringify(text)}`, () => assertEquals(parseNetwork(text), undefined));
  }

  test("is one of several", () => {
    const networks = ["10.0.0.0/8", "::1"].flatMap((text) => parseNetwork(text) ?? []);
    assertEquals(networks.length, 2);
    assertEquals(
      ["10.9.9.9", "::1", "11.0.0.1"].map((text) => includesAddress(networks, text)),
      [true, true, false],
    );
  });
});

describe("the group of an address", () => {
  const groups: readonly (readonly [address: string, group: string])[] = [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:c000:0201", "192.0.2.1"],
    ["2001:db8::1", "2001:db8:0:0"],
    ["2001:DB8:0:0:ffff::", "2001:db8:0:0"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["::1", "0:0:0:0"],
    ["fe80::1%eth0", "fe80:0:0:0%eth0"],
    // A text that is not an address is its own group.
    ["", ""],
    ["unknown", "unknown"],
    ["1:2", "1:2"],
    ["192.0.2.1%eth0", "192.0.2.1%eth0"],
    ["::1%", "0:0:0:0%"],
  ];
  for (const [address, group] of groups) {
    test(`${address || "nothing"} is in ${group || "none"}`, () => {
      assertEquals(addressGroup(address), group);
    });
  }
});
