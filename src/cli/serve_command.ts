/**
 * The command `serve`: an echo server.
 *
 * @module
 */
import type { ConnectionEnd } from "../connection/connection_end.ts";
import { Application } from "../server/application.ts";
import { WebSocketHandler } from "../server/handler.ts";
import type { ServePlan } from "./arguments.ts";
import { credentials } from "./reach_options.ts";
import { escapeControls } from "./printer.ts";
import type { Terminal } from "./terminal.ts";

/** The options of the echo handler. */
interface EchoOptions {
  readonly subprotocols: readonly string[];
  /** Called for each connection that opens or ends. */
  readonly report: (event: "open" | "close", handler: WebSocketHandler) => void;
}

/** Sends each message back. */
class EchoHandler extends WebSocketHandler<EchoOptions> {
  /** Accepts all origins: an echo server has no private data. */
  override checkOrigin(): boolean {
    return true;
  }

  override selectSubprotocol(offered: readonly string[]): string | undefined {
    return offered.find((name) => this.options.subprotocols.includes(name));
  }

  override open(): void {
    this.options.report("open", this);
  }

  onMessage(message: string | Uint8Array): Promise<void> {
    return this.writeMessage(message);
  }

  override onClose(): void {
    this.options.report("close", this);
  }
}

/** Runs the command until it is interrupted. @returns The exit code. */
export async function serveCommand(plan: ServePlan, terminal: Terminal): Promise<number> {
  const { port, host, versions, subprotocols, identity, json } = plan;
  const print = (event: object, words: string): void =>
    terminal.print(json ? JSON.stringify(event) : words);
  const report: EchoOptions["report"] = (type, { version, connection, ended }) => {
    const { hostname, port } = connection.remoteAddress;
    const client = `${hostname}:${port}`;
    if (type === "open") print({ type, client, version }, `${client} open (${version})`);
    else {
      print({ type, client, ...endOf(ended) }, `${client} closed: ${wordsOf(ended)}`);
    }
  };
  const app = new Application([[/\/.*/, EchoHandler, { subprotocols, report }]], {
    versions,
    compression: {},
  });
  const server = app.listen({
    port,
    hostname: host,
    ...(identity === undefined ? {} : credentials(identity, terminal)),
  });
  await server.listening;
  const { hostname, port: bound } = server.addr;
  const name = hostname.includes(":") ? `[${hostname}]` : hostname;
  const url = `${identity === undefined ? "ws" : "wss"}://${name}:${bound}/`;
  print({ type: "listening", url }, `Listening on ${url}`);
  await new Promise<void>((resolve) => terminal.onInterrupt(resolve));
  await server.shutdown();
  return 0;
}

function endOf(ended: ConnectionEnd | undefined): object {
  return ended === undefined ? {} : { by: ended.by, code: ended.code, reason: ended.reason };
}

function wordsOf(ended: ConnectionEnd | undefined): string {
  if (ended === undefined) return "unknown";
  const { by, code, reason } = ended;
  return `${code}${reason === "" ? "" : ` ${escapeControls(reason)}`}, by ${by}`;
}
