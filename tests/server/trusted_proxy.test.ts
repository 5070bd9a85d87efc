import { describe, test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { Application } from "../../src/server/application.ts";
import { logToConsole } from "../../src/server/log.ts";
import type { Settings } from "../../src/server/settings.ts";
import { makeOpening } from "../support/memory_client.ts";
import { Recording } from "../support/recording.ts";
import { HIXIE, HYBI, Rig, settle, VERSIONS } from "../support/rig.ts";

/** A handler that tells who its client is. */
class Who extends Recording {
  override open(): void {
    const { remoteAddress, localAddress, secure } = this.connection;
    this.note(`${remoteAddress.hostname} ${localAddress.hostname} ${secure} ${this.request.url}`);
  }
}

/** What the handler sees of a client behind `proxy` whose request has more fields. */
async function seen(
  proxy: string,
  fields: readonly string[],
  settings: Partial<Settings>,
): Promise<string | undefined> {
  const events: string[] = [];
  const rig = new Rig([["/", Who, events]], { allowedOrigins: ["http://a.example"], ...settings });
  const transport = proxy === "unix" ? "unix" as const : "tcp" as const;
  const far = { transport, hostname: proxy === "unix" ? "" : proxy, port: 5 };
  const { client } = rig.join({
    addresses: [{ transport: "tcp", hostname: "192.0.2.1", port: 80 }, far],
  });
  await client.open("rfc6455", { origin: "http://a.example", fields });
  return events[0];
}

describe("what a proxy says of its client", () => {
  const trustProxy = ["10.0.0.1", "10.0.0.2", "2001:DB8::10", "unix"];
  const rows: [name: string, proxy: string, fields: string[], expected: string][] = [
    ["is not believed of anybody else", "10.0.0.3", [
      "X-Forwarded-For: 1.2.3.4",
      "X-Forwarded-Proto: https",
    ], "10.0.0.3 192.0.2.1 false http://localhost/"],
    ["is believed of a listed address", "10.0.0.1", [
      "X-Forwarded-For: 1.2.3.4",
      "X-Forwarded-Proto: https",
    ], "1.2.3.4 192.0.2.1 true https://localhost/"],
    [
      "is believed of an IPv4 address that IPv6 shows mapped",
      "::ffff:10.0.0.1",
      ["X-Forwarded-For: 1.2.3.4"],
      "1.2.3.4 192.0.2.1 false http://localhost/",
    ],
    [
      "is believed of a unix socket",
      "unix",
      ["X-Forwarded-For: 1.2.3.4", "X-Forwarded-Proto: wss"],
      "1.2.3.4 192.0.2.1 true https://localhost/",
    ],
    ["may be nothing", "10.0.0.1", [], "10.0.0.1 192.0.2.1 false http://localhost/"],
    [
      "is the last address that is no proxy: those before it anybody can write",
      "10.0.0.1",
      ["X-Forwarded-For: 6.6.6.6, 1.2.3.4, 10.0.0.2"],
      "1.2.3.4 192.0.2.1 false http://localhost/",
    ],
    [
      "may come in several fields",
      "10.0.0.1",
      ["X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 1.2.3.4"],
      "1.2.3.4 192.0.2.1 false http://localhost/",
    ],
    [
      "may have a port behind it",
      "10.0.0.1",
      ["X-Forwarded-For: 1.2.3.4:5678"],
      "1.2.3.4 192.0.2.1 false http://localhost/",
    ],
    [
      "may be an IPv6 address with a port",
      "10.0.0.1",
      ["X-Forwarded-For: [2001:db8::1]:5678"],
      "2001:db8::1 192.0.2.1 false http://localhost/",
    ],
    [
      "may be an IPv6 address",
      "10.0.0.1",
      ["X-Forwarded-For: 2001:db8::1"],
      "2001:db8::1 192.0.2.1 false http://localhost/",
    ],
    [
      "says http too, over a connection that is TLS or not",
      "10.0.0.1",
      ["X-Forwarded-Proto: https, http"],
      "10.0.0.1 192.0.2.1 false http://localhost/",
    ],
    [
      "has a scheme for each address, where two nginx append theirs",
      "10.0.0.1",
      ["X-Forwarded-For: 1.2.3.4, 10.0.0.2", "X-Forwarded-Proto: https, http"],
      "1.2.3.4 192.0.2.1 true https://localhost/",
    ],
    [
      "has one scheme, where the second nginx passes it on",
      "10.0.0.1",
      ["X-Forwarded-For: 1.2.3.4, 10.0.0.2", "X-Forwarded-Proto: https"],
      "1.2.3.4 192.0.2.1 true https://localhost/",
    ],
    [
      "has no scheme that its client has put before the proxy's own",
      "10.0.0.1",
      ["X-Forwarded-For: 1.2.3.4", "X-Forwarded-Proto: https, http"],
      "1.2.3.4 192.0.2.1 false http://localhost/",
    ],
    [
      "is the first of the trusted ones, if all are",
      "10.0.0.1",
      ["X-Forwarded-For: 10.0.0.1, 10.0.0.2"],
      "10.0.0.1 192.0.2.1 false http://localhost/",
    ],
    [
      "is an IPv6 address in its canonical form",
      "10.0.0.1",
      ["X-Forwarded-For: 2001:DB8:0::1"],
      "2001:db8::1 192.0.2.1 false http://localhost/",
    ],
    [
      "is skipped as a trusted proxy, however its address is written",
      "2001:db8::10",
      ["X-Forwarded-For: 1.2.3.4, [2001:db8:0:0::10]:80, ::ffff:10.0.0.2"],
      "1.2.3.4 192.0.2.1 false http://localhost/",
    ],
    ...["unknown", "_hidden", "<script>", "1.2.3", "example.com", "1.2.3.4\x7f"].flatMap(
      (garbage): typeof rows => [
        [
          `is the proxy itself, where it says ${JSON.stringify(garbage)}`,
          "10.0.0.1",
          [`X-Forwarded-For: 6.6.6.6, ${garbage}`],
          "10.0.0.1 192.0.2.1 false http://localhost/",
        ],
        [
          `is the farthest proxy, where that says ${JSON.stringify(garbage)}`,
          "10.0.0.1",
          [`X-Forwarded-For: 6.6.6.6, ${garbage}, 10.0.0.2`],
          "10.0.0.2 192.0.2.1 false http://localhost/",
        ],
      ],
    ),
    [
      "may be in Forwarded (RFC 7239)",
      "10.0.0.1",
      ['Forwarded: for="[2001:db8::1]:4711";proto=https;by=10.0.0.1'],
      "2001:db8::1 192.0.2.1 true https://localhost/",
    ],
    [
      "may be in Forwarded of a chain, in several fields",
      "10.0.0.1",
      ["Forwarded: for=6.6.6.6, for=1.2.3.4;proto=https", "Forwarded: for=10.0.0.2;proto=http"],
      "1.2.3.4 192.0.2.1 true https://localhost/",
    ],
    [
      "is not in Forwarded beside X-Forwarded-For, which the proxy writes",
      "10.0.0.1",
      ["Forwarded: for=6.6.6.6;proto=https", "X-Forwarded-For: 1.2.3.4"],
      "1.2.3.4 192.0.2.1 false http://localhost/",
    ],
    [
      "is not in Forwarded beside X-Forwarded-Proto",
      "10.0.0.1",
      ["Forwarded: for=6.6.6.6", "X-Forwarded-Proto: https"],
      "10.0.0.1 192.0.2.1 true https://localhost/",
    ],
    [
      "is not in a Forwarded that is malformed",
      "10.0.0.1",
      ['Forwarded: for="6.6.6.6, for=1.2.3.4;proto=https'],
      "10.0.0.1 192.0.2.1 false http://localhost/",
    ],
    [
      "is not in a Forwarded of anybody else",
      "10.0.0.3",
      ["Forwarded: for=1.2.3.4;proto=https"],
      "10.0.0.3 192.0.2.1 false http://localhost/",
    ],
  ];
  for (const [name, proxy, fields, expected] of rows) {
    test(name, async () => assertEquals(await seen(proxy, fields, { trustProxy }), expected));
  }

  test("is believed of ranges, and hops in them are proxies", async () => {
    const ranges = ["10.0.0.0/8", "2001:db8::/32", "::ffff:192.168.0.0/112"];
    const fields = ["X-Forwarded-For: 6.6.6.6, 1.2.3.4, 10.9.9.9, ::ffff:192.168.3.4"];
    for (const proxy of ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8:5::1", "192.168.255.255"]) {
      const expected = "1.2.3.4 192.0.2.1 false http://localhost/";
      assertEquals(await seen(proxy, fields, { trustProxy: ranges }), expected, proxy);
    }
    for (const proxy of ["11.0.0.1", "2001:db9::1", "192.169.0.0", "unix"]) {
      const hostname = proxy === "unix" ? "" : proxy;
      const expected = `${hostname} 192.0.2.1 false http://localhost/`;
      assertEquals(await seen(proxy, fields, { trustProxy: ranges }), expected, proxy);
    }
  });

  test("is refused as a setting if it is no address or range", () => {
    for (const item of ["", "localhost", "10.0.0.1/8", "10.0.0.0/33", "::/129", "*", "UNIX"]) {
      const error = assertThrows(
        () => new Application([], { trustProxy: ["10.0.0.1", item] }),
        TypeError,
      );
      assertEquals(
        error.message,
        'Cannot use trustProxy: must have IP addresses, ranges such as "10.0.0.0/8" without bits ' +
          `after the prefix, or "unix", got ${JSON.stringify(item)}`,
      );
    }
  });

  test("is not believed of anybody by default", async () => {
    const fields = ["X-Forwarded-For: 1.2.3.4", "X-Forwarded-Proto: https"];
    assertEquals(await seen("10.0.0.1", fields, {}), "10.0.0.1 192.0.2.1 false http://localhost/");
  });

  for (const version of VERSIONS) {
    test(`${version}: decides what the server's own origin is`, async () => {
      const rig = new Rig([["/", Recording, []]], { trustProxy: ["127.0.0.1"] });
      const fields = ["X-Forwarded-Proto: https"];
      const same = makeOpening(version, { origin: "https://localhost", fields });
      assertEquals((await rig.send(same.head)).parseAnswer().status, 101);
      const other = makeOpening(version, { origin: "http://localhost", fields });
      assertEquals((await rig.send(other.head)).parseAnswer().status, 403);
    });
  }
});

describe("allowedHosts", () => {
  const allowedHosts = ["example.com", "Other.example:8080", "[::1]"];
  const rows: [host: string, served: boolean][] = [
    ["example.com", true],
    ["EXAMPLE.com", true],
    ["example.com:8888", true],
    ["other.example:8080", true],
    ["other.example:8081", false],
    ["other.example", false],
    ["[::1]:8888", true],
    ["example.com.evil.example", false],
    ["evil.example", false],
    ["127.0.0.1", false],
  ];
  for (const [host, served] of rows) {
    test(`${served ? "serve" : "do not serve"} ${host}`, async () => {
      for (const version of VERSIONS) {
        const rig = new Rig([["/", Recording, []]], { allowedHosts });
        const client = await rig.send(makeOpening(version, { host }).head);
        assertEquals(client.parseAnswer().status, served ? 101 : 421);
        assertEquals(rig.app.stats().refused.host, served ? 0 : 1);
      }
    });
  }
});

describe("secureDraftsOnly", () => {
  for (const version of VERSIONS) {
    const isDraft = HIXIE.includes(version);
    test(`${isDraft ? "refuses" : "does not concern"} ${version} without TLS`, async () => {
      const events: string[] = [];
      const rig = new Rig([["/", Recording, events]], { secureDraftsOnly: true });
      const plain = await rig.send(makeOpening(version).head);
      const { status, body } = plain.parseAnswer();
      assertEquals(status, isDraft ? 403 : 101);
      if (isDraft) assertEquals(body, `${version} is accepted over TLS only (secureDraftsOnly)\n`);
      const tls = await rig.open(version, {
        origin: "https://localhost",
        pair: { secure: true },
        ...(isDraft ? { host: "localhost" } : {}),
      }).catch((error) => error);
      assertEquals(String(tls).startsWith("Error"), false);
    });
  }

  test("takes a trusted proxy's word for TLS", async () => {
    const settings = { secureDraftsOnly: true, trustProxy: ["127.0.0.1"] };
    const rig = new Rig([["/", Recording, []]], settings);
    const { head } = makeOpening("draft76", {
      origin: "https://localhost",
      fields: ["X-Forwarded-Proto: https"],
    });
    assertEquals((await rig.send(head)).parseAnswer().status, 101);
  });
});

describe("draft75", () => {
  test("is not spoken unless it is asked for", async () => {
    const versions = { versions: [...HYBI, "draft76" as const] };
    const rig = new Rig([["/", Recording, []]], versions);
    const client = await rig.send(makeOpening("draft75").head);
    assertEquals(client.parseAnswer().status, 426);
  });
});

describe("what is logged", () => {
  test("has no control characters of a path or a message", async () => {
    const lines: string[] = [];
    const { error } = console;
    console.error = (...parts: unknown[]) => lines.push(parts.join(" "));
    try {
      class Failing extends Recording {
        override onMessage(message: string): void {
          throw new TypeError(`Cannot understand ${message}`, { cause: new Error(message) });
        }
      }
      const rig = new Rig([["/:name", Failing, []]], { log: logToConsole });
      const client = await rig.open("rfc6455", { path: "/%1b[31m%0a" });
      client.send("\x1b[2J\x07\r\x9b31m\u2028 caf\u00e9\tok");
      await settle();
    } finally {
      console.error = error;
    }
    assertEquals(lines.length, 1);
    const [line = ""] = lines;
    // deno-lint-ignore no-control-regex -- that is what must not be there
    assertEquals(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028]/.test(line), false, line);
    assertEquals(line.includes('Uncaught exception in "/%1b[31m%0a": '), true);
    const shown = "\\u001b[2J\\u0007\\u000d\\u009b31m\\u2028 caf\u00e9\tok";
    assertEquals(line.split(shown).length >= 3, true, line);
  });

  test("of an error that is none, or is its own cause, is told too", () => {
    const lines: string[] = [];
    const { error } = console;
    console.error = (...parts: unknown[]) => lines.push(parts.join(" "));
    try {
      const circular = new Error("round and round");
      circular.cause = circular;
      logToConsole("a:", circular);
      logToConsole("b:", "text");
      logToConsole("c");
      logToConsole("d:", null);
    } finally {
      console.error = error;
    }
    assertEquals(lines[0]?.includes("round and round"), true);
    assertEquals(lines.slice(1), ["b: text", "c", "d: null"]);
  });
});
