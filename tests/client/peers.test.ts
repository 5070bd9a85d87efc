import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { after, before, describe, test } from "node:test";
import {
  type ConnectOptions,
  HandshakeError,
  type WebSocketClientConnection,
  websocketConnect,
} from "../../src/client/mod.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { run } from "../cli/fake_terminal.ts";
import { sameBytes } from "../support/bytes.ts";
import type { Child } from "../support/spawn.ts";
import { peers, startPeer } from "./peers/start.ts";
import { HIXIE, VERSIONS } from "../handshake/good_server.ts";

const texts: readonly string[] = [
  "Hello",
  "",
  "Ahoj, žluťoučký kůň; 日本語; 👋🏽",
  "a".repeat(125),
  "a".repeat(126),
  "é".repeat(40_000),
  "x".repeat(200_000),
];

/** Bytes of any value, always the same. */
function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i * 7919 >> 3);
}

const sizes: readonly number[] = [0, 1, 125, 126, 65_535, 65_536, 200_000];

async function echoes(
  connection: WebSocketClientConnection,
  message: string | Uint8Array,
): Promise<void> {
  await connection.writeMessage(message);
  const echo = await connection.readMessage();
  if (typeof message === "string") assert(echo === message, `${message.length} characters`);
  else {
    assertInstanceOf(echo, Uint8Array);
    assertEquals(echo.length, message.length);
    assert(sameBytes(echo, message), `${message.length} bytes`);
  }
}

/** Talks to an echo server until the server closes. */
async function talk(url: string, options: ConnectOptions): Promise<void> {
  const pongs: string[] = [];
  const onPong = (payload: Uint8Array) => void pongs.push(new TextDecoder().decode(payload));
  const connection = await websocketConnect(url, { ...options, onPong });
  for (const text of texts) await echoes(connection, text);
  // Many at once, in both directions.
  const many = Array.from({ length: 200 }, (_, i) => `message ${i}`);
  for (const text of many) connection.writeMessage(text);
  for (const text of many) assertEquals(await connection.readMessage(), text);
  const isDraft = HIXIE.includes(connection.version);
  if (!isDraft) {
    for (const size of sizes) await echoes(connection, bytes(size));
    connection.ping("are you there?");
    await echoes(connection, "after the ping");
    assertEquals(pongs, ["are you there?"]);
  }
  await connection.writeMessage("close");
  assertEquals(await connection.readMessage(), undefined);
  await connection.closed;
}

/** Talks to an echo server, and then closes. */
async function leave(url: string, version: WebSocketVersion): Promise<void> {
  const connection = await websocketConnect(url, { version });
  await echoes(connection, "Hello");
  connection.close(1000, "bye");
  assertEquals(await connection.readMessage(), undefined);
  assertEquals(connection.closeCode, HIXIE.includes(version) ? undefined : 1000);
  await connection.closed;
}

/** What `waterspout probe --json` prints. */
interface ProbeReport {
  readonly url: string;
  readonly versions: readonly {
    readonly version: string;
    readonly opens: boolean;
    readonly handshake?: number;
    readonly echo?: number;
    readonly reason?: string;
  }[];
  readonly extensions: readonly string[];
  readonly subprotocols: readonly string[] | "any";
}

async function probe(url: string): Promise<ProbeReport> {
  const { code, printed, warned } = await run(["probe", "--json", url]);
  const output = [...printed, ...warned].join("\n");
  assertEquals(code, 0, output);
  return JSON.parse(output);
}

for (const [name, peer] of Object.entries(peers)) {
  describe(`a client talks with ${name}`, () => {
    let child: Child;
    let url = "";
    before(async () => {
      ({ child, url } = await startPeer(peer));
    });
    after(() => child?.stop());

    test(`in ${peer.versions.join(", ")}, and gets an error with the reason in others`, async () => {
      for (const version of VERSIONS) {
        if (peer.versions.includes(version)) {
          await talk(url, { version });
          await leave(url, version);
        } else {
          const connecting = websocketConnect(url, { version });
          const error = await assertRejects(() => connecting, HandshakeError, "must be 101, got");
          assert(error.status !== undefined && error.status >= 400, error.message);
        }
      }
    });

    test("with subprotocols, compression and a path", async () => {
      for (const contextTakeover of [false, true]) {
        const compression = { threshold: 0, contextTakeover };
        const connection = await websocketConnect(`${url}?a=b`, { compression });
        const agreed = connection.headers.get("sec-websocket-extensions") ?? "";
        assertEquals(agreed.startsWith("permessage-deflate"), peer.compresses, agreed);
        connection.abort();
        await talk(url, { compression });
      }
      const subprotocols = ["none", "chat"];
      const connection = await websocketConnect(url, { subprotocols });
      const { selectedSubprotocol } = connection;
      assertEquals(subprotocols.includes(selectedSubprotocol ?? ""), peer.chats);
      connection.abort();
      await connection.closed;
    });

    test("and the probe finds what it speaks", async () => {
      const report = await probe(url);
      assertEquals(report.url, url);
      for (const { version, opens, handshake, echo, reason } of report.versions) {
        assertEquals(opens, peer.versions.some((spoken) => spoken === version), version);
        if (opens) assert((handshake ?? 0) > 0 && (echo ?? 0) > 0 && reason === undefined);
        else assertStringIncludes(reason ?? "", "the status must be 101, got");
      }
      assertEquals(report.extensions.length, peer.compresses ? 1 : 0);
      assertEquals(report.subprotocols, peer.subprotocols);
    });
  });
}
