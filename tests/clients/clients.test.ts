import { assertEquals, assertMatch } from "@std/assert";
import { describe, test } from "node:test";
import { Application, type CompressionOptions, WebSocketHandler } from "../../mod.ts";
import { type Runtime, runtimes } from "../support/runtime.ts";
import { sized } from "../support/sizes.ts";
import { spawnScript } from "../support/spawn.ts";

/** Echoes, closes on request, and records pings, pongs and the close of a client. */
class Echo extends WebSocketHandler<string[]> {
  override checkOrigin(): boolean {
    return true;
  }
  override onMessage(message: string | Uint8Array): void {
    if (message === "Hello") this.ping("and you");
    if (message === "close me") this.close(4321, "as you wish");
    else this.writeMessage(message);
  }
  override onPing(payload: Uint8Array): void {
    this.options.push(`ping ${new TextDecoder().decode(payload)}`);
  }
  override onPong(payload: Uint8Array): void {
    this.options.push(`pong ${new TextDecoder().decode(payload)}`);
  }
  override onClose(): void {
    this.options.push(`close ${this.closeCode} ${this.closeReason}`.trim());
  }
}

/** The results of a client; see script.js. */
interface Seen {
  readonly error?: string;
  /** Whether each message came back unchanged. */
  readonly echoes: readonly boolean[];
  /** How the server closed the connection. */
  readonly closed: readonly [code: number, reason: string, wasClean: boolean];
  /** How the connection ended when the client closed it. */
  readonly left: readonly [code: number, reason: string, wasClean: boolean];
  readonly extensions: string;
  /** The payloads of pongs and pings from the server. */
  readonly pong?: string;
  readonly ping?: string;
}

/** A client, and the server that it talks with. */
interface Talk {
  readonly kind: "global" | "ws";
  readonly compression: CompressionOptions | undefined;
  /** The size of the largest message, if any has 1 MiB or more. */
  readonly largest?: number;
  /** What ws is told about permessage-deflate. Default: `true`. */
  readonly options?: object | boolean;
}

/** The results of a client and of the server. */
interface Told {
  readonly seen: Seen;
  readonly heard: readonly string[];
}

/** Has clients talk in one process, each with a server of its own. */
async function run(runtime: Runtime, talks: readonly Talk[]): Promise<Told[]> {
  await using servers = new AsyncDisposableStack();
  const heard: string[][] = [];
  const clients: object[] = [];
  for (const { kind, compression, largest = 0, options = true } of talks) {
    const own: string[] = [];
    heard.push(own);
    const app = new Application([["/", Echo, own]], { compression });
    const server = servers.use(app.listen({ port: 0, hostname: "127.0.0.1" }));
    await server.listening;
    clients.push({ kind, largest, options, url: `ws://127.0.0.1:${server.addr.port}/` });
  }
  const child = spawnScript("tests/clients/script.js", [JSON.stringify(clients)], { runtime });
  try {
    const told: Told[] = [];
    for (const own of heard) {
      const [line] = await child.waitFor(
        new RegExp(`(?<=^(?:.*\\n){${told.length}})\\{.*\\}$`, "m"),
      );
      told.push({ seen: JSON.parse(line), heard: own });
    }
    return told;
  } finally {
    await child.stop("SIGKILL");
  }
}

/** Checks that both ends have seen the same close. */
function assertClosed({ closed, left }: Seen, heard: readonly string[]): void {
  assertEquals(closed, [4321, "as you wish", true]);
  assertEquals([left[0], left[2]], [4000, true]);
  const closes = heard.filter((line) => line.startsWith("close "));
  assertEquals(closes.length, 2, closes.join());
  assertMatch(closes[0] ?? "", /^close 4321/);
  assertEquals(closes[1], "close 4000 that’s all");
}

const MIB = 1024 * 1024;

/** The largest message: by default, that of a server in the soak test. */
const LARGEST = sized({ test: 4, soak: 16 }) * MIB;

/** How the servers compress. One message of that size is enough; those of ws are compressed. */
const SERVERS:
  readonly (readonly [compression: CompressionOptions | undefined, largest: number])[] = [
    [undefined, LARGEST],
    [{ threshold: 0 }, MIB],
    [{ contextTakeover: true }, MIB],
  ];

describe("the WebSocket of each runtime", () => {
  for (const runtime of runtimes) {
    test(`${runtime}, without compression and with it`, async () => {
      const all = await run(
        runtime,
        SERVERS.map(([compression, largest]) => ({ kind: "global", compression, largest })),
      );
      for (const [index, [compression]] of SERVERS.entries()) {
        const { seen, heard } = all[index] as Told;
        assertEquals(seen.error, undefined);
        assertEquals(seen.echoes, Array.from({ length: 11 }, () => true));
        assertEquals(heard[0], "pong and you");
        // Deno's WebSocket offers no extension.
        const isPlain = compression === undefined || runtime === "deno";
        const agreed = compression?.contextTakeover
          ? "permessage-deflate"
          : "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        assertEquals(seen.extensions, isPlain ? "" : agreed);
        assertClosed(seen, heard);
      }
    });
  }
});

/** The options of `ws` for permessage-deflate. */
const OFFERS: readonly object[] = [
  {},
  { serverNoContextTakeover: true },
  { clientNoContextTakeover: true },
  { serverNoContextTakeover: true, clientNoContextTakeover: true },
  { serverMaxWindowBits: 9, clientMaxWindowBits: 10 },
];

/** Has ws talk, and checks all but what was agreed on, which is returned. */
async function runWs(
  runtime: Runtime,
  talks: readonly Omit<Talk, "kind">[],
): Promise<string[]> {
  const all = await run(runtime, talks.map((talk) => ({ kind: "ws", ...talk })));
  return talks.map(({ largest }, index) => {
    const { seen, heard } = all[index] as Told;
    assertEquals(seen.error, undefined);
    assertClosed(seen, heard);
    const count = largest === undefined ? 8 : 12;
    assertEquals(seen.echoes, Array.from({ length: count }, () => true));
    assertEquals([seen.ping, seen.pong], ["and you", "are you there"]);
    assertEquals(heard[0], "ping are you there");
    return seen.extensions;
  });
}

describe("ws", () => {
  for (const contextTakeover of [false, true]) {
    test(`every offer, contextTakeover ${contextTakeover}`, async () => {
      const compression = { threshold: 0, contextTakeover };
      const offers = OFFERS.map((offer) => ({ compression, options: { threshold: 0, ...offer } }));
      const agreed = await runWs("node", offers);
      assertEquals(agreed, OFFERS.map(() => "permessage-deflate"));
    });
  }

  for (const runtime of runtimes) {
    // The library is the same on the others.
    const largest = runtime === "node" ? LARGEST : MIB;
    test(`on ${runtime}, ${largest / MIB} MiB`, async () => {
      await runWs(runtime, [{ largest, compression: { contextTakeover: true } }]);
    });
  }

  test("no compression if it is off on the server or on the client", async () => {
    const agreed = await runWs("node", [
      { compression: undefined },
      { compression: { threshold: 0 }, options: false },
    ]);
    assertEquals(agreed, ["", ""]);
  });
});
