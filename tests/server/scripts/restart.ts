/**
 * A service that is restarted: `restart.ts PORT REPORT HELD COUNT`. It prints `port PORT`. A message is a
 * text `NAME PADDING`, and `NAME` acknowledges it once it is handled.
 *
 * A text that ends in HELD is handled when the shutdown begins. After COUNT of them the process
 * prints `holding`. SIGTERM shuts the server down. Then the file REPORT gets a {@linkcode Report} as
 * JSON.
 */
import { writeFileSync } from "node:fs";
import process from "node:process";
import { setImmediate } from "node:timers";
import { Application, type Server, WebSocketClosedError, WebSocketHandler } from "../../../mod.ts";

/** What a process tells at its end. */
export interface Report {
  /** How many messages were read. */
  readonly read: number;
  /** The names of the messages that were handled, in that order. */
  readonly handled: readonly string[];
  /** Those whose acknowledgement could not be sent, because the close frame was out. */
  readonly refused: readonly string[];
  /** How many held messages were acknowledged, which the shutdown has waited for. */
  readonly late: number;
  /** What was logged. */
  readonly logged: readonly string[];
}

/** Long enough for a machine that is busy, in milliseconds. The outcome does not depend on it. */
const PATIENCE = 60_000;

const [, , port = "", file = "", suffix = "", count = ""] = process.argv;
const handled: string[] = [];
const refused: string[] = [];
const logged: string[] = [];
const stopping = Promise.withResolvers<void>();
let late = 0;
let held = 0;

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** How many turns of the event loop a message takes. */
function workOf(text: string): number {
  let sum = 0;
  for (let i = 0; i < text.length; i++) sum = (sum * 31 + text.charCodeAt(i)) % 1009;
  return sum % 5;
}

class Worker extends WebSocketHandler {
  async onMessage(message: string | Uint8Array): Promise<void> {
    const text = String(message);
    const isHeld = text.endsWith(suffix);
    if (isHeld) {
      if (++held === Number(count)) console.log("holding");
      await stopping.promise;
    }
    for (let left = workOf(text); left > 0; left--) await turn();
    const [name = ""] = text.split(" ");
    handled.push(name);
    try {
      await this.writeMessage(name);
      if (isHeld) late++;
    } catch (error) {
      if (!(error instanceof WebSocketClosedError)) throw error;
      refused.push(name);
    }
  }
}

const app = new Application([["/", Worker]], {
  versions: ["rfc6455", "hybi-08", "hybi-07", "draft76", "draft75"],
  compression: { threshold: 0 },
  closeTimeout: PATIENCE,
  pingTimeout: PATIENCE,
  log: (...values: unknown[]) => void logged.push(values.join(" ")),
});
const server: Server = app.listen({
  hostname: "127.0.0.1",
  port,
  reusePort: true,
  onListen: (address) => console.log(`port ${address.port}`),
});

async function stop(): Promise<void> {
  const done = server.shutdown({ code: 1012, reason: "a new version", timeout: PATIENCE });
  stopping.resolve();
  await done;
  const read = app.stats().traffic.messagesIn;
  writeFileSync(file, JSON.stringify({ read, handled, refused, late, logged }));
  // Deno does not exit while there is a signal listener.
  process.exit();
}

process.on("SIGTERM", () => void stop());
