/**
 * Pings and pongs: answered at once, and passed to the handler in order.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import type { WebSocketHandler } from "../../src/server/handler.ts";
import { Recording } from "../support/recording.ts";
import { gate, HYBI, Rig, settle } from "../support/rig.ts";

describe("pings", () => {
  for (const version of HYBI) {
    test(`${version}: are answered at once, and passed to the handler when it is free`, async () => {
      const events: string[] = [];
      const { promise, open } = gate();
      class Busy extends Recording {
        override onMessage(): Promise<void> {
          return promise;
        }
      }
      const client = await new Rig([["/", Busy, events]]).open(version);
      client.send("work");
      client.ping(Uint8Array.of(65, 66));
      client.pong(Uint8Array.of(67));
      await settle();
      assertEquals([client.take(), events], [["pong AB"], ["open"]]);
      open();
      await settle();
      assertEquals(events, ["open", "ping 65,66", "pong 67"]);
    });

    test(`${version}: wait for open(), in order with messages; pongs are sent at once`, async () => {
      const events: string[] = [];
      const { promise, open } = gate();
      class Authenticating extends Recording {
        override async open(): Promise<void> {
          this.note("authenticating");
          await promise;
          this.note("open");
        }
      }
      const client = await new Rig([["/", Authenticating, events]]).open(version);
      client.ping(Uint8Array.of(65));
      client.send("first");
      client.pong(Uint8Array.of(66));
      client.send("second");
      client.ping(Uint8Array.of(67));
      await settle();
      assertEquals([client.take(), events], [["pong A", "pong C"], ["authenticating"]]);
      open();
      await settle();
      const heard = ["open", "ping 65", "text first", "pong 66", "text second", "ping 67"];
      assertEquals([client.take(), events], [[], ["authenticating", ...heard]]);
    });

    test(`${version}: are handled in order with messages, however long these take`, async () => {
      const events: string[] = [];
      class Slow extends Recording {
        override async onMessage(message: string): Promise<void> {
          await settle();
          this.note(`text ${message}`);
        }
        override async onPing(payload: Uint8Array): Promise<void> {
          await settle();
          this.note(`ping ${payload}`);
        }
        override async onPong(payload: Uint8Array): Promise<void> {
          await settle();
          this.note(`pong ${payload}`);
        }
      }
      const client = await new Rig([["/", Slow, events]]).open(version);
      const expected = ["open"];
      for (let i = 0; i < 4; i++) {
        client.send(`${i}`);
        client.ping(Uint8Array.of(i));
        client.pong(Uint8Array.of(i));
        expected.push(`text ${i}`, `ping ${i}`, `pong ${i}`);
      }
      await settle();
      // Long before the handler is called with them.
      assertEquals(client.take().length, 4);
      while (events.length < expected.length) await settle();
      assertEquals(events, expected);
    });

    test(`${version}: of a closed connection are not passed to the handler`, async () => {
      const events: string[] = [];
      const { promise, open } = gate();
      class Refusing extends Recording {
        override async open(): Promise<void> {
          await promise;
          this.abort();
        }
      }
      const client = await new Rig([["/", Refusing, events]]).open(version);
      client.ping(Uint8Array.of(65));
      client.pong(Uint8Array.of(66));
      await settle();
      open();
      await settle();
      assertEquals(events, ["close"]);
    });

    test(`${version}: are sent by ping(), with at most 125 bytes`, async () => {
      const handlers: WebSocketHandler[] = [];
      class Pinging extends Recording {
        override open(): void {
          handlers.push(this);
          this.ping();
          this.ping("hey");
          this.ping(new Uint8Array(125).fill(65));
        }
      }
      const client = await new Rig([["/", Pinging, []]]).open(version);
      assertEquals(client.take(), ["ping", "ping hey", `ping ${"A".repeat(125)}`]);
      assertThrows(() => handlers[0]?.ping("\u00e9".repeat(63)), RangeError, "got 126");
      client.reset();
      await settle();
      handlers[0]?.ping("too late, and no fault");
    });
  }
});
