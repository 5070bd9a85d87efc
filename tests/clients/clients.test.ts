import { assertEquals, assertMatch } from "@std/assert";
import { describe, test } from "node:test";
import { Application, type CompressionOptions, WebSocketHandler } from "../../mod.ts";
import { type Runtime, runtimes } from "../support/runtime.ts";
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

interface Client {
  readonly runtime: Runtime;
  readonly kind: "global" | "ws";
  /** The size of the largest message, if it is more than 1 MiB. */
  readonly largest?: number;
  readonly options?: unknown;
}

/** The results of a client and of the server. */
async function run(
  { runtime, kind, largest = 0, options = true }: Client,
  compression: CompressionOptions | undefined,
): Promise<{ seen: Seen; heard: string[] }> {
  const heard: string[] = [];
  const app = new Application([["/", Echo, heard]], { compression });
  await using server = app.listen({ port: 0, hostname: "127.0.0.1" });
  await server.listening;
  const url = `ws://127.0.0.1:${server.addr.port}/`;
  const args = [url, kind, `${largest}`, JSON.stringify(options)];
  const child = spawnScript("tests/clients/script.js", args, { runtime });
  try {
    const [json] = await child.waitFor(/^\{.*\}$/m);
    return { seen: JSON.parse(json), heard };
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

const SIXTEEN_MIB = 16 * 1024 * 1024;
const SERVERS: readonly (CompressionOptions | undefined)[] = [
  undefined,
  { threshold: 0 },
  { contextTakeover: true },
];

describe("the WebSocket of each runtime", () => {
  for (const runtime of runtimes) {
    for (const compression of SERVERS) {
      const how = compression === undefined ? "plain" : JSON.stringify(compression);
      test(`${runtime}, ${how}`, async () => {
        const client = { runtime, kind: "global", largest: SIXTEEN_MIB } as const;
        const { seen, heard } = await run(client, compression);
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
      });
    }
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

async function runWs(
  client: Omit<Client, "kind">,
  compression: CompressionOptions | undefined,
): Promise<Seen> {
  const { seen, heard } = await run({ kind: "ws", ...client }, compression);
  assertEquals(seen.error, undefined);
  assertClosed(seen, heard);
  const count = client.largest === undefined ? 10 : 12;
  assertEquals(seen.echoes, Array.from({ length: count }, () => true));
  assertEquals([seen.ping, seen.pong], ["and you", "are you there"]);
  assertEquals(heard[0], "ping are you there");
  return seen;
}

describe("ws", () => {
  for (const offer of OFFERS) {
    for (const contextTakeover of [false, true]) {
      test(`${JSON.stringify(offer)}, contextTakeover ${contextTakeover}`, async () => {
        const client = { runtime: "node", options: { threshold: 0, ...offer } } as const;
        const seen = await runWs(client, { threshold: 0, contextTakeover });
        assertEquals(seen.extensions, "permessage-deflate");
      });
    }
  }

  for (const runtime of runtimes) {
    test(`on ${runtime}, 16 MiB`, async () => {
      await runWs({ runtime, largest: SIXTEEN_MIB }, { contextTakeover: true });
    });
  }

  test("no compression if it is off on the server or on the client", async () => {
    const [off, refused] = await Promise.all([
      runWs({ runtime: "node" }, undefined),
      runWs({ runtime: "node", options: false }, { threshold: 0 }),
    ]);
    assertEquals([off.extensions, refused.extensions], ["", ""]);
  });
});
