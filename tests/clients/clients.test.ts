import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { Application, type CompressionOptions, WebSocketHandler } from "../../mod.ts";
import { type Runtime, runtimes } from "../support/runtime.ts";
import { spawnScript } from "../support/spawn.ts";

/** Echoes, and closes when asked to. */
class Echo extends WebSocketHandler {
  override checkOrigin(): boolean {
    return true;
  }
  override onMessage(message: string | Uint8Array): void {
    if (message === "close me") this.close(4321, "as you wish");
    else this.writeMessage(message);
  }
}

/** What a client saw; see script.js. */
interface Seen {
  readonly results: readonly boolean[];
  readonly code: number;
  readonly reason: string;
  readonly extensions: string;
  readonly pong: boolean;
}

async function run(
  client: { readonly runtime: Runtime; readonly args: readonly string[] },
  compression: CompressionOptions | undefined,
): Promise<Seen> {
  const app = new Application([["/", Echo]], { compression });
  await using server = app.listen({ port: 0, hostname: "127.0.0.1", onListen() {} });
  await server.listening;
  const url = `ws://127.0.0.1:${server.addr.port}/`;
  const { runtime, args } = client;
  const child = spawnScript("tests/clients/script.js", [url, ...args], { runtime });
  try {
    const [json] = await child.waitFor(/^\{.*\}$/m);
    return JSON.parse(json);
  } finally {
    await child.stop("SIGKILL");
  }
}

describe("the runtimes' own WebSocket", () => {
  for (const runtime of runtimes) {
    for (const compression of [undefined, { threshold: 0 }, { contextTakeover: true }]) {
      const how = compression === undefined ? "plain" : JSON.stringify(compression);
      test(`${runtime}, ${how}`, async () => {
        const seen = await run({ runtime, args: ["global"] }, compression);
        assertEquals(seen.results, Array.from({ length: 9 }, () => true));
        assertEquals([seen.code, seen.reason], [4321, "as you wish"]);
      });
    }
  }
});

/** What `ws` is told about permessage-deflate. */
const OFFERS: readonly object[] = [
  {},
  { serverNoContextTakeover: true },
  { clientNoContextTakeover: true },
  { serverNoContextTakeover: true, clientNoContextTakeover: true },
  { serverMaxWindowBits: 9, clientMaxWindowBits: 10 },
];

describe("npm's ws", () => {
  for (const offer of OFFERS) {
    for (const contextTakeover of [false, true]) {
      test(`${JSON.stringify(offer)}, contextTakeover ${contextTakeover}`, async () => {
        const args = ["ws", JSON.stringify({ threshold: 0, ...offer })];
        const compression = { threshold: 0, contextTakeover };
        const seen = await run({ runtime: "node", args }, compression);
        assertEquals(seen.results, Array.from({ length: 10 }, () => true));
        assertEquals([seen.code, seen.reason], [4321, "as you wish"]);
        assertEquals([seen.extensions, seen.pong], ["permessage-deflate", true]);
      });
    }
  }

  test("no compression where it is off on the server, or on the client", async () => {
    const [off, refused] = await Promise.all([
      run({ runtime: "node", args: ["ws", "true"] }, undefined),
      run({ runtime: "node", args: ["ws", "false"] }, { threshold: 0 }),
    ]);
    for (const seen of [off, refused]) {
      assertEquals(seen.results, Array.from({ length: 10 }, () => true));
      assertEquals(seen.extensions, "");
    }
  });
});
