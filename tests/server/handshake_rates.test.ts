import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { Refusal } from "../../src/errors.ts";
import { HandshakeRates } from "../../src/server/handshake_rates.ts";
import type { Settings } from "../../src/server/settings.ts";
import { TrustedProxies } from "../../src/server/trusted_proxy.ts";
import { FakeClock } from "../../src/testing/fake_clock.ts";
import type { Address } from "../../src/transport/transport.ts";
import { withHost } from "../attach/support.ts";
import { handshake, Http2Rig } from "../http2/rig.ts";
import { makeOpening } from "../support/memory_client.ts";
import { Recording } from "../support/recording.ts";
import { Rig, settle, VERSIONS } from "../support/rig.ts";

function tcp(hostname: string): Address {
  return { transport: "tcp", hostname, port: 1 };
}

const handshakeRate = { perSecond: 0.5, burst: 2 };

/** Rates, and a function that tells the status for an address: 101 or 429. */
function makeRates(capacity?: number) {
  const clock = new FakeClock();
  const trusted = new TrustedProxies(["10.0.0.1"]);
  const rates = new HandshakeRates(handshakeRate, clock, trusted, capacity);
  const ask = (hostname: string, transport: Address["transport"] = "tcp") => {
    try {
      rates.admit({ ...tcp(hostname), transport });
      return 101;
    } catch (error) {
      if (error instanceof Refusal) return error.status;
      throw error;
    }
  };
  return { clock, rates, ask };
}

describe("the handshakes of an address", () => {
  test("are refused beyond the burst, with the time to wait", async () => {
    const { clock, rates, ask } = makeRates();
    assertEquals([ask("a"), ask("a"), ask("a"), ask("b")], [101, 101, 429, 101]);
    await clock.advance(500);
    const refusal = assertThrows(() => rates.admit(tcp("a")), Refusal);
    assertEquals([refusal.status, refusal.reason, refusal.headers.get("retry-after")], [
      429,
      "rate",
      "2",
    ]);
    await clock.advance(1500);
    assertEquals([ask("a"), ask("a")], [101, 429]);
    await clock.advance(60_000);
    assertEquals([ask("a"), ask("a"), ask("a")], [101, 101, 429]);
  });

  const groups: readonly (readonly [one: string, other: string, same: boolean])[] = [
    ["192.0.2.1", "::ffff:192.0.2.1", true],
    ["::ffff:c000:201", "192.0.2.1", true],
    ["192.0.2.1", "192.0.2.2", false],
    ["2001:db8::1", "2001:db8:0:0:ffff::2", true],
    ["2001:db8:0:1::1", "2001:DB8:0:1:8000::", true],
    ["2001:db8::1", "2001:db8:0:1::1", false],
    ["::1", "::2", true],
    ["fe80::1%eth0", "fe80::2%eth0", true],
    ["fe80::1%eth0", "fe80::1%eth1", false],
  ];
  for (const [one, other, same] of groups) {
    test(`${one} and ${other} are ${same ? "one" : "two"}`, () => {
      const { ask } = makeRates();
      assertEquals([ask(one), ask(one), ask(other)], [101, 101, same ? 429 : 101]);
    });
  }

  test("are not limited for a trusted proxy, or on a unix socket", () => {
    const { rates, ask } = makeRates();
    for (let i = 0; i < 5; i++) {
      assertEquals([ask("10.0.0.1"), ask("", "unix")], [101, 101]);
    }
    assertEquals(rates.size, 0);
  });

  test("take limited memory: what was quiet for longest is forgotten", async () => {
    const { clock, rates, ask } = makeRates(10);
    for (let i = 0; i < 1000; i++) {
      ask(`192.0.2.${i}`);
      assertEquals(ask("busy"), i < 2 ? 101 : 429);
    }
    assertEquals(rates.size, 10);
    await clock.advance(60_000);
    for (let i = 0; i < 9; i++) ask("last");
    assertEquals(ask("last"), 429);
    ask("one more");
    ask("and more");
    assertEquals(rates.size < 10, true, `${rates.size}`);
  });

  test("take limited memory: an address that asks again is not forgotten next", () => {
    const { ask } = makeRates(2);
    assertEquals(["a", "b", "a", "c", "a"].map((name) => ask(name)), [101, 101, 101, 101, 429]);
  });

  test("take no memory when they are long ago", async () => {
    const { clock, rates, ask } = makeRates();
    for (let i = 0; i < 100; i++) ask(`${i}`);
    await clock.advance(60_000);
    for (let i = 0; i < 100; i++) {
      ask("new");
      ask(`new ${i}`);
    }
    assertEquals(rates.size <= 101, true, `${rates.size}`);
  });
});

describe("the setting handshakeRate", () => {
  for (const version of VERSIONS) {
    test(`${version}: answers 429 with Retry-After, and counts it`, async () => {
      const rig = new Rig([["/", Recording, []]], { handshakeRate });
      await rig.open(version);
      await rig.send(makeOpening("rfc6455", { path: "/nowhere" }).head);
      const { head } = makeOpening(version);
      const { status, headers, body } = (await rig.send(head)).parseAnswer();
      assertEquals([status, headers.get("retry-after")], [429, "2"]);
      assertMatch(body, /too many handshakes \(handshakeRate\)/);
      const { refused: { rate, path } } = rig.app.stats();
      assertEquals([rate, path], [1, 1]);
      await rig.clock.advance(2000);
      await rig.open(version);
    });
  }

  const request = (client: string) =>
    makeOpening("rfc6455", { fields: [`X-Forwarded-For: ${client}`] }).head;

  test("counts the clients of a trusted proxy, not the proxy", async () => {
    const settings = { handshakeRate, trustProxy: ["127.0.0.1"] };
    const rig = new Rig([["/", Recording, []]], settings);
    const ask = async (client: string) => (await rig.send(request(client))).parseAnswer().status;
    for (const client of ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"]) {
      assertEquals(await ask(client), 101, client);
    }
    assertEquals(await ask("192.0.2.1"), 429);
  });

  test("does not count plain HTTP", async () => {
    const rig = new Rig([["/", Recording, []]], {
      handshakeRate,
      fetch: () => new Response("hello"),
    });
    for (let i = 0; i < 5; i++) {
      const client = await rig.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
      await settle();
      assertEquals(client.parseAnswer().status, 200);
    }
  });

  test("counts the requests of an attached server", async () => {
    await withHost(async (host) => {
      const fields = makeOpening("rfc6455").head.split("\r\n").filter((line) =>
        /^(?:Upgrade|Connection|Sec-)/.test(line)
      );
      const answers = [];
      for (let i = 0; i < 3; i++) answers.push((await host.ask("/echo", ...fields)).slice(9, 12));
      assertEquals(answers, ["101", "101", "429"]);
    }, { settings: { handshakeRate: { perSecond: 0.001, burst: 2 } } });
  });

  test("counts the streams of HTTP/2", async () => {
    await using rig = await Http2Rig.start([["/", Recording, []]], {
      handshakeRate: { perSecond: 0.001, burst: 2 },
    });
    const session = await rig.session();
    await rig.open("/", { http2: session });
    await rig.open("/", { http2: session });
    const { status, headers } = await rig.request(handshake(), session);
    assertEquals([status, headers["retry-after"]], [429, "1000"]);
  });
});

test("maxConnectionsPerAddress counts a /64 and a mapped address as one", async () => {
  const from = (hostname: string) => ({
    addresses: [tcp("192.0.2.9"), tcp(hostname)] as [Address, Address],
  });
  const rig = new Rig([["/", Recording, []]], { maxConnectionsPerAddress: 1 });
  const statuses: number[] = [];
  for (
    const hostname of ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"]
  ) {
    const client = await rig.send(makeOpening("rfc6455").head, from(hostname));
    statuses.push(client.parseAnswer().status);
  }
  assertEquals(statuses, [101, 503, 101, 101, 503]);
});

describe("a rate that is wrong", () => {
  const wrong: readonly unknown[] = [
    5,
    "5/s",
    [],
    {},
    { perSecond: 1 },
    { burst: 1 },
    { perSecond: "1", burst: 1 },
    { perSecond: 1, burst: 1, extra: 1 },
    { perSecond: 1, burst: 1, action: "drop" },
    { perSecond: 0, burst: 1 },
    { perSecond: -1, burst: 1 },
    { perSecond: NaN, burst: 1 },
    { perSecond: Infinity, burst: 1 },
    { perSecond: 1, burst: 0.5 },
    { perSecond: 1, burst: Infinity },
  ];
  for (const name of ["messageRate", "byteRate", "handshakeRate"] as const) {
    for (const value of wrong) {
      test(`${name}: ${JSON.stringify(value)}`, () => {
        const settings = { [name]: value } as Partial<Settings>;
        assertThrows(() => new Rig(Recording, settings), Error, `Cannot use ${name}: must be {`);
      });
    }
  }

  test("handshakeRate has no action", () => {
    const rate = { perSecond: 1, burst: 1, action: "wait" };
    assertThrows(() => new Rig(Recording, { handshakeRate: rate }), TypeError, "handshakeRate");
  });
});
