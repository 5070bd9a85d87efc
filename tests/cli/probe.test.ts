import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, test } from "node:test";
import { Application, WebSocketHandler } from "../../mod.ts";
import { credentials } from "../transport/links.ts";
import { runProgram } from "../../src/cli/program.ts";
import { FakeTerminal, run } from "./fake_terminal.ts";

async function probe(...args: string[]): Promise<{ code: number; output: string }> {
  const { code, printed, warned } = await run(["probe", ...args]);
  return { code, output: [...printed, ...warned].join("\n") };
}

// What it finds at servers of others is in tests/client/peers.test.ts.
describe("the probe", () => {
  test("prints a table, asks with fields of its own, and greets a server that does not echo", async () => {
    const heard = Promise.withResolvers<void>();
    class Greeter extends WebSocketHandler {
      override open(): void {
        this.writeMessage(`Hello, ${this.getCookie("user")}`);
      }
      onMessage(): void {
        heard.resolve();
      }
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
    const terminal = new FakeTerminal();
    const done = runProgram(["probe", url, ...args], terminal);
    await heard.promise;
    await terminal.clock.advance(3000);
    assertEquals(await done, 0);
    const output = terminal.printed.join("\n");
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
