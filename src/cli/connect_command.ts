/**
 * The command `connect`: sends lines to a server and prints its messages.
 *
 * @module
 */
import type { WebSocketClientConnection } from "../client/client_connection.ts";
import { websocketConnect } from "../client/websocket_connect.ts";
import type { ConnectionEnd } from "../connection/connection_end.ts";
import { WebSocketClosedError } from "../errors.ts";
import { messageOf } from "../guard.ts";
import { wait } from "../timing/waiting_clock.ts";
import type { ConnectPlan } from "./arguments.ts";
import { Printer } from "./printer.ts";
import { connectOptions } from "./reach_options.ts";
import type { Terminal } from "./terminal.ts";

/** Close codes that give exit code 0: normal closure, going away, and no code. */
const NORMAL: ReadonlySet<number> = new Set([1000, 1001, 1005]);

/** Runs the command. @returns The exit code. */
export async function connectCommand(plan: ConnectPlan, terminal: Terminal): Promise<number> {
  const printer = new Printer(terminal, plan.json);
  const connection = await websocketConnect(plan.url, {
    ...connectOptions(plan, terminal),
    version: plan.version,
    ...(plan.compress ? { compression: {} } : {}),
    ...(plan.slash ? { onPong: (payload) => printer.pong(payload) } : {}),
  });
  terminal.onInterrupt(() => connection.close(1000));
  printer.opened(plan.url, connection);
  return await new Conversation(plan, terminal, connection).run(printer);
}

/** One open connection. */
class Conversation {
  readonly #plan: ConnectPlan;
  readonly #terminal: Terminal;
  readonly #connection: WebSocketClientConnection;
  /** The time of the last message, or of the end of the input. */
  #lastHeard = 0;

  constructor(plan: ConnectPlan, terminal: Terminal, connection: WebSocketClientConnection) {
    this.#plan = plan;
    this.#terminal = terminal;
    this.#connection = connection;
  }

  /** Runs until the connection ends. @returns The exit code. */
  async run(printer: Printer): Promise<number> {
    const sent = this.#send();
    // Wait for the reader only: it stops when the connection ends, but the input may never end.
    await Promise.race([this.#receive(printer), sent.then(() => new Promise(() => {}))]);
    const end = await this.#connection.closed;
    const isNormal = this.#isNormal(end);
    printer.closed(end, isNormal);
    return isNormal ? 0 : 1;
  }

  #isNormal({ by, code }: ConnectionEnd): boolean {
    if (by !== "peer" && by !== "client") return false;
    // draft75 and draft76 have no close codes.
    return NORMAL.has(code) || this.#connection.version.startsWith("draft");
  }

  async #receive(printer: Printer): Promise<void> {
    let count = 0;
    try {
      for await (const message of this.#connection) {
        this.#lastHeard = this.#terminal.clock.now();
        printer.message(message);
        if (++count === this.#plan.count) this.#connection.close(1000);
      }
    } catch (error) {
      // The end of the connection says it too.
      if (this.#connection.ended === undefined) throw error;
    }
  }

  /** Sends all input, then closes the connection. */
  async #send(): Promise<void> {
    try {
      for (const text of this.#plan.send) await this.#connection.writeMessage(text);
      for await (const line of this.#terminal.lines()) {
        if (!this.#command(line)) await this.#connection.writeMessage(line);
      }
    } catch (error) {
      // The end of the connection says it too.
      if (!(error instanceof WebSocketClosedError)) throw error;
    }
    if (!this.#terminal.interactive) await this.#silence();
    this.#connection.close(1000);
  }

  /** Waits until no message has arrived for the time of `--wait`. */
  async #silence(): Promise<void> {
    const { wait: silence } = this.#plan;
    if (silence === Infinity) {
      await this.#connection.closed;
      return;
    }
    const { clock } = this.#terminal;
    this.#lastHeard = clock.now();
    let left = silence;
    while (left > 0 && this.#connection.ended === undefined) {
      await wait(left, clock, undefined);
      left = this.#lastHeard + silence - clock.now();
    }
  }

  /** Runs a line if it is a command. @returns Whether it is one. */
  #command(line: string): boolean {
    const [, name, code, reason = ""] = /^\/(ping|close)(?: (\d+)(?: (.*))?)?$/.exec(line) ?? [];
    if (!this.#plan.slash || name === undefined) return false;
    try {
      if (name === "ping") this.#connection.ping();
      else this.#connection.close(code === undefined ? 1000 : Number(code), reason);
    } catch (error) {
      this.#terminal.warn(messageOf(error));
    }
    return true;
  }
}
