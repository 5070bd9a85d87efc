import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, test } from "node:test";
import { Application, WebSocketHandler } from "../../mod.ts";
import { peers, startPeer } from "../client/peers/start.ts";
import { credentials } from "../transport/links.ts";
import { run } from "./fake_terminal.ts";

/** What the probe prints as JSON. */
interface Report {
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

async function probe(...args: string[]): Promise<{ code: number; output: string }> {
  const { code, printed, warned } = await run(["probe", ...args]);
  return { code, output: [...printed, ...warned].join("\n") };
}

async function probeJson(...args: string[]): Promise<Report> {
  const { code, output } = await probe("--json", ...args);
  assertEquals(code, 0, output);
  return JSON.parse(output);
}

const SUBPROTOCOLS: Readonly<Record<string, readonly string[] | "any">> = {
  "Waterspout": ["chat", "superchat"],
  "ws": "any",
  "faye-websocket": ["chat"],
  "websocket-driver": [],
  "Bun.serve": "any",
  "Deno.serve": ["chat"],
};

describe("the probe", () => {
  for (const [name, peer] of Object.entries(peers)) {
    test(`finds what ${name} speaks`, async () => {
      const { child, url } = await startPeer(peer);
      try {
        const report = await probeJson(url);
        assertEquals(report.url, url);
        for (const { version, opens, handshake, echo, reason } of report.versions) {
          assertEquals(opens, peer.versions.some((spoken) => spoken === version), version);
          if (opens) assert((handshake ?? 0) > 0 && (echo ?? 0) > 0 && reason === undefined);
          else assertStringIncludes(reason ?? "", "the status must be 101, got");
        }
        assertEquals(report.extensions.length, peer.compresses ? 1 : 0);
        assertEquals(report.subprotocols, SUBPROTOCOLS[name]);
      } finally {
        await child.stop();
      }
    });
  }

  test("prints a table, asks with fields of its own, and greets a server that does not echo", async () => {
    class Greeter extends WebSocketHandler {
      override open(): void {
        this.writeMessage(`Hello, ${this.getCookie("user")}`);
      }
      onMessage(): void {}
    }
    const app = new Application([["/", Greeter]], { versions: ["draft76"] });
    await using server = app.listen({
      hostname: "localhost",
      port: 0,
      ...credentials,
    });
    await server.listening;
    const url = `wss://localhost:${server.addr.port}/`;
    const args = ["--insecure", "--header", "Cookie: user=Ada"];
    const { code, output } = await probe(url, ...args);
    assertEquals(code, 0);
    const lines = output.split("\n");
    assertEquals(lines[0], url);
    assertEquals(lines[2], "version   opens   handshake        echo");
    assertMatch(lines[6] ?? "", /^draft76 {3}yes {3} +\d+\.\d\d ms {11}–$/);
    assertMatch(lines[3] ?? "", /^rfc6455 {3}no {14}– {11}– {2}the status must be 101, got .*426/);
    assertStringIncludes(`${output}\n`, "\nextensions    none\nsubprotocols  none\n");
  });

  test("fails where nothing answers, and says what is wrong with the command", async () => {
    const nobody = await probe("ws://127.0.0.1:1/");
    assertEquals(nobody.code, 1);
    assertMatch(nobody.output, /^rfc6455 {3}no .*refused|Failed to connect/im);
    assertEquals((await probe()).code, 2);
    const wrong = await probe("ftp://example.com/");
    assertEquals(wrong.code, 2);
    assertStringIncludes(wrong.output, "the scheme must be ws or wss (RFC 6455 §3)");
  });
});
