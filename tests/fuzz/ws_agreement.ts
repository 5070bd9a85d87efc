/**
 * Compares with the parser of `ws`: for the same bytes, both report the same messages, and both fail or
 * neither does.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { createRequire } from "node:module";
import { Hybi } from "../../src/protocol/hybi.ts";
import { ProtocolError } from "../../src/errors.ts";
import { type Dice, mutate } from "./mutate.ts";
import { hybiTraffic } from "./protocols.ts";

interface Receiver {
  on(event: string, listener: (...args: never[]) => void): void;
  write(chunk: Uint8Array): void;
}

const require = createRequire(import.meta.url);

/** The parser is not exported by the package. */
function makeReceiver(): Receiver {
  const Receiver = require("../../node_modules/ws/lib/receiver.js");
  return new Receiver({ isServer: true, maxPayload: 66_000, maxFragments: 20 });
}

function byWs(bytes: Uint8Array): { events: string[]; failed: boolean } {
  const events: string[] = [];
  let failed = false;
  const receiver = makeReceiver();
  receiver.on("message", (data: Uint8Array, isBinary: boolean) => {
    events.push(`${isBinary ? "binary" : "text"} ${Buffer.from(data).toString("base64")}`);
  });
  receiver.on("ping", (data: Uint8Array) => void events.push(`ping ${[...data]}`));
  receiver.on("pong", (data: Uint8Array) => void events.push(`pong ${[...data]}`));
  receiver.on("conclude", (code: number) => void events.push(`close ${code}`));
  receiver.on("error", () => void (failed = true));
  receiver.write(Buffer.from(bytes));
  return { events, failed };
}

function byOurs(bytes: Uint8Array): { events: string[]; failed: boolean } {
  const events: string[] = [];
  const hybi = new Hybi({ maxMessageSize: 66_000, maxFragments: 20 }, { role: "server" });
  const note = (event: string): boolean => events.push(event) > 0;
  try {
    hybi.receive(bytes, false, {
      text: (message) => note(`text ${Buffer.from(message).toString("base64")}`),
      binary: (message) => note(`binary ${Buffer.from(message).toString("base64")}`),
      ping: (payload) => note(`ping ${[...payload]}`),
      pong: (payload) => note(`pong ${[...payload]}`),
      close: (code) => note(`close ${code ?? 1005}`),
    });
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { events, failed: true };
  }
  return { events, failed: false };
}

/**
 * Compares only complete traffic: in an incomplete frame, we fail at the first wrong byte, and `ws` waits
 * for the end of the frame.
 */
export function fuzzAgreement(next: Dice): void {
  const good = hybiTraffic(next, false);
  const bytes = next(3) === 0 ? good : mutate(next, good);
  const [ours, theirs] = [byOurs(bytes.slice()), byWs(bytes.slice())];
  if (theirs.failed) assertEquals(ours.failed, true, "ws fails and we do not");
  // We may have failed earlier, inside a frame. The messages before are the same.
  assertEquals(ours.events, theirs.events.slice(0, ours.events.length));
  if (!ours.failed) assertEquals(ours.events, theirs.events);
}
