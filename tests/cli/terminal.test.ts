import { assertEquals, assertStringIncludes } from "@std/assert";
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { describe, test } from "node:test";
import { Application, WebSocketHandler } from "../../mod.ts";
import { runtimes, scriptCommand } from "../support/runtime.ts";

class Echo extends WebSocketHandler {
  onMessage(message: string | Uint8Array): Promise<void> {
    return this.writeMessage(message);
  }
}

/** A program on a pseudo terminal. */
class OnTerminal {
  output = "";
  readonly exited: Promise<number | null>;
  readonly #process: ChildProcess;
  #changed: () => void = () => {};

  constructor(command: readonly string[], env: Record<string, string>) {
    const line = command.map((part) => `'${part}'`).join(" ");
    const { NO_COLOR: _, ...inherited } = process.env;
    this.#process = spawn("script", ["-qec", line, "/dev/null"], {
      env: { ...inherited, TERM: "xterm", ...env },
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#process.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.output += text;
      this.#changed();
    });
    this.exited = new Promise((resolve) => this.#process.once("close", resolve));
  }

  /** Waits until a text is on the screen. */
  async sees(text: string): Promise<void> {
    let ended = false;
    void this.exited.then(() => ended = true).then(() => this.#changed());
    while (!this.output.includes(text)) {
      if (ended) throw new Error(`The program ended without ${text}:\n${this.output}`);
      await new Promise<void>((resolve) => this.#changed = resolve);
    }
  }

  /** Presses keys. */
  type(keys: string): void {
    this.#process.stdin?.write(keys);
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }
}

const LEFT = "\x1b[D";
const UP = "\x1b[A";
const BACKSPACE = "\x7f";
const CTRL_D = "\x04";

describe("on a terminal, the program has colours, an edited line and a history", () => {
  for (const runtime of runtimes) {
    test(runtime, async () => {
      await using server = new Application([["/", Echo]]).listen({
        hostname: "127.0.0.1",
        port: 0,
      });
      await server.listening;
      const url = `ws://127.0.0.1:${server.addr.port}/`;
      const command = [...scriptCommand("src/cli/cli.ts", runtime, "--allow-net"), "connect", url];
      const terminal = new OnTerminal(command, {});
      try {
        await terminal.sees("> ");
        assertStringIncludes(terminal.output, `\x1b[2mconnected to ${url} (rfc6455)\x1b[0m`);
        terminal.type(`hexllo${LEFT.repeat(3)}${BACKSPACE}\r`);
        await terminal.sees("\x1b[36m< hello\x1b[0m");
        terminal.type(`${UP} again\r`);
        await terminal.sees("\x1b[36m< hello again\x1b[0m");
        terminal.type(CTRL_D);
        await terminal.sees("closed by client: 1000");
        assertEquals(await terminal.exited, 0);
      } finally {
        terminal.kill();
      }
    });
  }

  test("but no colours with NO_COLOR", async () => {
    const command = [
      ...scriptCommand("src/cli/cli.ts", "bun", ""),
      "connect",
      "ws://127.0.0.1:1/",
    ];
    const terminal = new OnTerminal(command, { NO_COLOR: "1" });
    try {
      assertEquals(await terminal.exited, 1);
      assertStringIncludes(terminal.output, "waterspout: Cannot connect to ws://127.0.0.1:1/");
      assertEquals(terminal.output.includes("\x1b["), false);
    } finally {
      terminal.kill();
    }
  });
});
