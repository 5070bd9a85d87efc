import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import type { Writer } from "../../src/connection/writer.ts";
import { EarlyMessages } from "../../src/server/early_messages.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import { makeOpening } from "../support/memory_client.ts";
import { gate, Rig, settle } from "../support/rig.ts";

/** The messages that are sent after the handshake. */
function sent(early: EarlyMessages): (string | Uint8Array)[] {
  const messages: (string | Uint8Array)[] = [];
  const writeMessage = (message: string | Uint8Array) => void messages.push(message);
  early.send({ writeMessage } as unknown as Writer);
  return messages;
}

const LIMITS = { highWaterMark: 10, maxBufferedAmount: 20 };

describe("messages that are written during the handshake", () => {
  const rows: [sizes: readonly number[], taken: readonly boolean[], size: number][] = [
    [[100], [true], 100],
    [[10, 11], [true, true], 21],
    [[11, 9], [true, true], 20],
    [[11, 10], [true, false], 11],
    [[11, 10, 9], [true, false, true], 20],
  ];
  for (const [sizes, taken, size] of rows) {
    test(`are kept while there is room: ${sizes}`, () => {
      const early = new EarlyMessages();
      const answers = sizes.map((size) => early.add("x".repeat(size), LIMITS));
      assertEquals([answers, early.size], [taken, size]);
      assertEquals(sent(early).map(({ length }) => length), sizes.filter((_, i) => taken[i]));
    });
  }

  test("are copies, in order", () => {
    const early = new EarlyMessages();
    const bytes = Uint8Array.of(1, 2);
    early.add(bytes, LIMITS);
    early.add("\u00e9", LIMITS);
    bytes.fill(0);
    assertEquals([sent(early), early.size], [[Uint8Array.of(1, 2), "\u00e9"], 4]);
  });
});

describe("a connection during the handshake", () => {
  test("keeps what a transport delivers although it is paused", async () => {
    const wait = gate();
    class Slow extends WebSocketHandler {
      override prepare(): Promise<void> {
        return wait.promise;
      }
      onMessage(message: string | Uint8Array): unknown {
        return this.writeMessage(message);
      }
    }
    const { client, transport } = new Rig(Slow).join();
    const { head, proof } = makeOpening("rfc6455");
    client.write(head);
    await settle();
    const chunk = Uint8Array.of(0x81, 0x81, 0, 0, 0, 0, 0x61);
    transport.events.data(chunk);
    chunk.fill(0xee);
    wait.open();
    await settle();
    client.begin("rfc6455", proof);
    assertEquals(await client.next(), "text a");
  });
});
