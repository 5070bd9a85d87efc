import { assertEquals, assertMatch } from "@std/assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Application, HttpError, type Message, WebSocketHandler } from "../../mod.ts";
import { main } from "../../src/cli/cli.ts";
import { runProgram } from "../../src/cli/program.ts";
import { websocketConnect } from "../../src/client/mod.ts";
import { HIXIE, VERSIONS } from "../handshake/good_server.ts";
import { credentials } from "../transport/links.ts";
import { FakeTerminal, run } from "./fake_terminal.ts";

/** Echoes, and does what some messages say. */
class Obedient extends WebSocketHandler {
  override prepare(): void {
    if (this.getArgument("refuse", "") !== "") throw new HttpError(403, "not\nyou");
  }
  override selectSubprotocol(offered: readonly string[]): string | undefined {
    return offered.find((name) => name === "chat");
  }
  async onMessage(message: string | Uint8Array): Promise<void> {
    if (message === "cookie") await this.writeMessage(this.getCookie("a", "none"));
    else if (message === "bytes") await this.writeMessage(Uint8Array.of(0, 171, 255));
    else if (message === "escape") await this.writeMessage("\x1b[2Jred\x07\nnext");
    else if (message === "lose") this.abort();
    else if (String(message).startsWith("close ")) this.close(Number(String(message).slice(6)));
    else await this.writeMessage(message as Message);
  }
}

/** Runs `body` with the URL of a server. */
async function serving(body: (url: string) => Promise<void>, secure = false): Promise<void> {
  const app = new Application([["/", Obedient]], {
    versions: VERSIONS,
    compression: {},
    // Some clients refuse the certificate.
    log: () => {},
  });
  await using server = app.listen({
    hostname: "127.0.0.1",
    port: 0,
    ...(secure ? credentials : {}),
  });
  await server.listening;
  await body(`${secure ? "wss" : "ws"}://127.0.0.1:${server.addr.port}/`);
}

describe("connect", () => {
  for (const version of VERSIONS) {
    test(`sends lines, prints messages, and ends with 0 (${version})`, () =>
      serving(async (url) => {
        const input = ["one", "", "two 💧"];
        const { code, printed, warned } = await run(
          ["connect", url, "--version", version, "--count", "3"],
          { input },
        );
        assertEquals([code, printed], [0, input]);
        assertEquals(warned[0], `connected to ${url} (${version})`);
        const closed = HIXIE.some((one) => one === version) ? /^closed by client: 100[56]$/ : "";
        if (closed === "") assertEquals(warned[1], "closed by client: 1000");
        else assertMatch(warned[1] ?? "", closed);
      }));
  }

  test("sends header fields, and prints JSON", () =>
    serving(async (url) => {
      const args = ["connect", url, "--json", "-H", "Cookie: a=b", "-s", "x", "-s", "chat"];
      const { code, printed, warned } = await run([...args, "--compress", "-n", "2"], {
        input: ["cookie", "bytes"],
      });
      const events = printed.map((line) => JSON.parse(line));
      assertEquals([code, warned], [0, []]);
      const { extensions, ...open } = events[0];
      assertEquals(open, { type: "open", url, version: "rfc6455", subprotocol: "chat" });
      assertMatch(extensions, /^permessage-deflate/);
      assertEquals(events.slice(1), [
        { type: "message", text: "b" },
        { type: "message", binary: "AKv/" },
        { type: "close", code: 1000, reason: "", by: "client" },
      ]);
    }));

  test("prints bytes as hexadecimal digits in a pipe", () =>
    serving(async (url) => {
      const { printed } = await run(["connect", url, "-x", "bytes", "-n", "1"]);
      assertEquals(printed, ["00abff"]);
    }));

  test("marks messages on a terminal, and escapes control characters", () =>
    serving(async (url) => {
      const gate = Promise.withResolvers<void>();
      async function* input() {
        yield "escape";
        yield "bytes";
        await gate.promise;
      }
      const terminal = new FakeTerminal({ interactive: true, input: input() });
      terminal.onPrint = (line) => line.includes("bytes") && gate.resolve();
      const code = await runProgram(["connect", url], terminal);
      assertEquals(code, 0);
      assertEquals(terminal.printed, [
        "\x1b[36m< \\x1b[2Jred\\x07\nnext\x1b[0m",
        "\x1b[36m< (3 bytes) 00abff\x1b[0m",
      ]);
      assertEquals(terminal.warned, [
        `\x1b[2mconnected to ${url} (rfc6455)\x1b[0m`,
        "\x1b[2mclosed by client: 1000\x1b[0m",
      ]);
    }));

  test("closes when no message has come for a second behind the end of input", () =>
    serving(async (url) => {
      const terminal = new FakeTerminal({ input: ["a", "b"] });
      const { clock } = terminal;
      const heard = Promise.withResolvers<void>();
      terminal.onPrint = (line) => line === "b" && heard.resolve();
      const running = runProgram(["connect", url], terminal);
      await heard.promise;
      // The wait may begin now, or it began before the message.
      while (clock.pending === 0) await clock.advance(0);
      await clock.advance(999);
      assertEquals([terminal.warned.length, clock.pending], [1, 1]);
      while (clock.pending > 0) await clock.advance(1);
      assertEquals([await running, terminal.printed], [0, ["a", "b"]]);
    }));

  test("closes after some messages, although there are more lines", () =>
    serving(async (url) => {
      const input = Array.from({ length: 5000 }, (_, index) => String(index));
      const { code, printed, warned } = await run(["connect", url, "-n", "3"], { input });
      assertEquals([code, printed, warned.at(-1)], [0, ["0", "1", "2"], "closed by client: 1000"]);
    }));

  test("closes after Ctrl-C", () =>
    serving(async (url) => {
      const terminal = new FakeTerminal({ input: ["a"] });
      terminal.onPrint = () => terminal.interrupt();
      assertEquals(await runProgram(["connect", url, "-w", "forever"], terminal), 0);
      assertEquals(terminal.warned.at(-1), "closed by client: 1000");
    }));

  /** What the server is told, the exit code, and the last line. */
  const ends: readonly (readonly [text: string, code: number, says: string])[] = [
    ["close 1000", 0, "closed by peer: 1000"],
    ["close 1001", 0, "closed by peer: 1001"],
    ["close 4001", 1, "closed by peer: 4001"],
    ["lose", 1, "closed by network: 1006"],
  ];
  for (const [text, code, says] of ends) {
    test(`ends with ${code} after ${text}`, () =>
      serving(async (url) => {
        const ended = await run(["connect", url, "-w", "forever"], { input: [text, "late"] });
        assertEquals([ended.code, ended.warned.at(-1)], [code, says]);
      }));
  }

  test("has commands with --slash", () =>
    serving(async (url) => {
      const args = ["connect", url, "--slash", "-w", "forever"];
      const { code, printed, warned } = await run(args, {
        input: ["/none", "/close 5", "/close 4999 a b"],
      });
      assertEquals([code, printed], [1, []]);
      assertMatch(warned[1] ?? "", /^Cannot close with code 5: /);
      assertEquals(warned[2], "closed by client: 4999 a b");

      const terminal = new FakeTerminal({ input: ["/ping"] });
      terminal.onPrint = (line) => line.includes("pong") && terminal.interrupt();
      assertEquals(await runProgram([...args, "--json"], terminal), 0);
      assertEquals(JSON.parse(terminal.printed[1] ?? ""), { type: "pong", binary: "" });
    }));

  test("says in one line why it cannot connect, and ends with 1", () =>
    serving(async (url) => {
      const refused = await run(["connect", `${url}?refuse=1`]);
      assertEquals([refused.code, refused.printed, refused.warned.length], [1, [], 1]);
      assertMatch(refused.warned[0] ?? "", /^waterspout: Cannot connect to .* got .*403/);
      const nobody = await run(["connect", url, "--proxy", "socks5://127.0.0.1:1"]);
      assertMatch(nobody.warned[0] ?? "", /through proxy socks5:\/\/127\.0\.0\.1:1: /);
      assertEquals(nobody.code, 1);
    }));

  test("trusts the certificates of a file, or any", () =>
    serving(async (url) => {
      const folder = mkdtempSync(join(tmpdir(), "waterspout-cli-"));
      try {
        const ca = join(folder, "ca.pem");
        writeFileSync(ca, credentials.cert);
        assertEquals((await run(["connect", url, "-w", "0"])).code, 1);
        assertEquals((await run(["connect", url, "-w", "0", "--ca", ca])).code, 0);
        assertEquals((await run(["connect", url, "-w", "0", "-k"])).code, 0);
        const missing = await run(["connect", url, "--ca", join(folder, "none.pem")]);
        assertEquals(missing.code, 2);
        assertMatch(missing.warned[0] ?? "", /^waterspout: Cannot read .*none\.pem: /);
      } finally {
        rmSync(folder, { recursive: true });
      }
    }, true));
});

/** Mistakes that only the client or the server finds. */
const mistakes: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [["connect", "ftp://a.example/"], /the scheme must be ws or wss \(RFC 6455 §3\)$/],
  [["connect", "ws://127.0.0.1:1/", "-k"], /--key need a wss URL$/],
  [["connect", "ws://127.0.0.1:1/", "-H", "Upgrade: a"], /the handshake itself sends it$/],
  [["connect", "ws://127.0.0.1:1/", "--proxy", "a"], /the scheme must be http/],
  [["connect", "ws://127.0.0.1:1/", "-V", "draft76", "-s", "a", "-s", "b"], /allow only one/],
  [["serve", "--port", "70000"], /port must be an integer from 0 to 65535, got 70000/],
];

describe("a mistake in the command line", () => {
  for (const [args, says] of mistakes) {
    test(`ends with 2 and one line: ${args.join(" ")}`, async () => {
      const { code, printed, warned } = await run(args);
      assertEquals([code, printed, warned.length], [2, [], 1]);
      assertMatch(warned[0] ?? "", /^waterspout: /);
      assertMatch(warned[0] ?? "", says);
    });
  }
});

describe("serve", () => {
  test("echoes in every version until Ctrl-C, and tells of connections", async () => {
    const terminal = new FakeTerminal();
    const listening = Promise.withResolvers<string>();
    terminal.onPrint = (line) => listening.resolve(line);
    const running = runProgram(["serve", "--port", "0", "-s", "chat"], terminal);
    const url = (await listening.promise).replace("Listening on ", "");
    assertMatch(url, /^ws:\/\/127\.0\.0\.1:\d+\/$/);
    for (const version of VERSIONS) {
      const options = { version, subprotocols: ["chat"], origin: "http://other.example" };
      await using socket = await websocketConnect(`${url}any/path`, options);
      await socket.writeMessage("Hello");
      assertEquals(await socket.readMessage(), "Hello");
      assertEquals(socket.selectedSubprotocol, "chat");
    }
    terminal.interrupt();
    assertEquals(await running, 0);
    assertEquals(terminal.printed.length, 1 + 2 * VERSIONS.length);
    assertMatch(terminal.printed[1] ?? "", /^127\.0\.0\.1:\d+ open \(\S+\)$/);
    assertMatch(terminal.printed[2] ?? "", /^127\.0\.0\.1:\d+ closed: 10\d\d, by peer$/);
  });

  test("prints JSON", async () => {
    const terminal = new FakeTerminal();
    terminal.onPrint = () => queueMicrotask(() => terminal.interrupt());
    assertEquals(await runProgram(["serve", "--port", "0", "--json"], terminal), 0);
    assertMatch(JSON.parse(terminal.printed[0] ?? "").url, /^ws:/);
  });

  test("ends with 1 if it cannot listen", () =>
    serving(async (url) => {
      const { code, warned } = await run(["serve", "--port", new URL(url).port]);
      assertEquals([code, warned.length], [1, 1]);
    }));
});

describe("main", () => {
  test("returns the exit code", async () => {
    assertEquals(await main(["--help"]), 0);
  });
});
