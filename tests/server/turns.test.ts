/**
 * Output that is awaited lets the event loop turn after `highWaterMark` bytes, also while the system
 * takes all of it at once. The turns are the test's, and so is their count.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, test } from "node:test";
import { WebSocketClosedError } from "../../src/errors.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import { GET, serve } from "../http/serve.ts";
import { connect } from "../../src/testing/mod.ts";
import type { MemoryClient } from "../support/memory_client.ts";
import { HYBI, Rig, settle, VERSIONS } from "../support/rig.ts";

const MARK = 10_000;
const TEXT = "x".repeat(3000);
/** A system that takes everything at once. */
const pair = { capacity: Infinity };

/** Writes for ever, and counts its steps; so do all who have the same array. */
class Endless extends WebSocketHandler<string[]> {
  override async open(): Promise<void> {
    try {
      for (;;) {
        await this.step();
        this.options.push("step");
      }
    } catch (error) {
      this.options.push((error as Error).name);
      throw error;
    }
  }
  step(): Promise<void> {
    return this.writeMessage(TEXT);
  }
  onMessage(): void {}
}

class Echo extends WebSocketHandler {
  onMessage(message: string | Uint8Array): void {
    this.writeMessage(message);
  }
}

/** Takes the steps that were made since. */
function taken(steps: string[]): number {
  return steps.splice(0).length;
}

/**
 * Has the loop turn a few times: each turn lets about as many steps be made as have `highWaterMark`
 * bytes. What a step has written is counted when it goes out, behind the step.
 */
async function turnsHave(rig: Rig, steps: string[], least: number): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    assertEquals(await rig.clock.turn(), 1);
    const count = taken(steps);
    assert(count >= least && count <= least + 2, `${count} steps in a turn`);
    await settle();
    assertEquals(steps, []);
  }
}

for (const version of VERSIONS) {
  describe(`a handler of ${version}`, () => {
    test("that awaits its writes makes a turn after highWaterMark bytes", async () => {
      const steps: string[] = [];
      const rig = new Rig([["/", Endless, steps]], { highWaterMark: MARK });
      rig.clock.holdTurns();
      const client = await rig.open(version, { pair });
      // Four times 3,000 bytes are more than 10,000.
      taken(steps);
      await turnsHave(rig, steps, 4);
      client.reset();
      await settle();
      await rig.clock.turn();
      assertEquals([steps.at(-1), rig.logged], ["WebSocketClosedError", []]);
      assertEquals(await rig.clock.turn(), 0);
    });

    test("that awaits writes of one byte makes turns, too", async () => {
      const steps: string[] = [];
      class Small extends Endless {
        override step(): Promise<void> {
          return this.writeMessage("x");
        }
      }
      const rig = new Rig([["/", Small, steps]], { highWaterMark: MARK });
      rig.clock.holdTurns();
      const client = await rig.open(version, { pair });
      taken(steps);
      await turnsHave(rig, steps, 10);
      client.reset();
      await settle();
      await rig.clock.turn();
    });

    test("that publishes to many and awaits its own writes makes turns for theirs", async () => {
      const steps: string[] = [];
      class Publisher extends Endless {
        override step(): Promise<void> {
          this.publish("all", TEXT);
          return this.writeMessage("x");
        }
      }
      class Listener extends Echo {
        override open(): void {
          this.subscribe("all");
        }
      }
      const rig = new Rig([["/", Publisher, steps], ["/listen", Listener]], {
        highWaterMark: MARK,
      });
      rig.clock.holdTurns();
      const listeners: MemoryClient[] = [];
      for (let i = 0; i < 3; i++) {
        listeners.push(await rig.open(version, { path: "/listen", pair }));
      }
      const client = await rig.open(version, { pair });
      taken(steps);
      // 9,000 bytes to the three, and 1 KiB to itself.
      await turnsHave(rig, steps, 1);
      for (const { transport } of [client, ...listeners]) transport.destroy();
      await settle();
      await rig.clock.turn();
    });

    test("that publishes and awaits `ready` makes turns for what others get", async () => {
      const steps: string[] = [];
      class Publisher extends Endless {
        override step(): Promise<void> {
          // It may publish when its own connection has ended, too.
          if (this.ended !== undefined) throw new WebSocketClosedError("on purpose");
          return this.publish("all", TEXT).ready;
        }
      }
      class Listener extends Echo {
        override open(): void {
          this.subscribe("all");
        }
      }
      const rig = new Rig([["/listen", Listener], ["/", Publisher, steps]], {
        highWaterMark: MARK,
      });
      rig.clock.holdTurns();
      const listeners: MemoryClient[] = [];
      for (const capacity of [Infinity, 0]) {
        listeners.push(await rig.open(version, { path: "/listen", pair: { capacity } }));
      }
      // A slow subscriber does not hold it up.
      listeners[1]?.transport.pause();
      const client = await rig.open(version, { pair });
      taken(steps);
      // 6,000 bytes to the two, and 1 KiB for the publication.
      await turnsHave(rig, steps, 2);
      for (const { transport } of [client, ...listeners]) transport.destroy();
      // A connection ends with its handler's call, or after closeTimeout.
      await rig.clock.advance(5000);
      await rig.clock.turn();
      assertEquals([steps.at(-1), await rig.clock.turn(), rig.logged], [
        "WebSocketClosedError",
        0,
        [],
      ]);
    });

    test("that does not await writes as fast as before, and without a turn", async () => {
      class Flood extends WebSocketHandler {
        onMessage(message: string): void {
          for (let i = 0; i < 100; i++) this.writeMessage(`${message}${TEXT}`);
        }
      }
      const rig = new Rig(Flood, { highWaterMark: MARK });
      rig.clock.holdTurns();
      const client = await rig.open(version, { pair });
      for (const letter of ["a", "b"]) client.send(letter);
      await settle();
      const sent = ["a", "b"].flatMap((letter) => Array(100).fill(`text ${letter}${TEXT}`));
      assertEquals(client.take(), sent);
      // They share one turn, which nobody waits for.
      assert(await rig.clock.turn() <= 1);
    });

    test("shares its turns with others, and lets them answer meanwhile", async () => {
      const steps: string[] = [];
      const routes = [["/", Endless, steps], ["/echo", Echo]];
      const rig = new Rig(routes, { highWaterMark: MARK });
      rig.clock.holdTurns();
      const clients = [await rig.open(version, { pair }), await rig.open(version, { pair })];
      const echo = await rig.open(version, { path: "/echo", pair });
      taken(steps);
      // In all, not for each of them.
      await turnsHave(rig, steps, 4);
      echo.send("hello");
      await settle();
      assertEquals([echo.take(), taken(steps)], [["text hello"], 0]);
      for (const client of clients) client.reset();
      await settle();
      await rig.clock.turn();
    });
  });
}

describe("a response from a stream that is always ready", () => {
  // The chunk's own frame goes out in the same write.
  const rows = [[3000, 4], [1, 10], [0, 10]] as const;
  for (const [size, expected] of rows) {
    test(`makes turns, in pieces of ${size} bytes`, async () => {
      const pulls: string[] = [];
      const fetch = () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              pulls.push("pull");
              controller.enqueue(new Uint8Array(size));
            },
            cancel() {
              pulls.push("canceled");
            },
          }, { highWaterMark: 0 }),
        );
      const rig = serve(fetch, { highWaterMark: MARK });
      rig.clock.holdTurns();
      const { client } = rig.join(pair);
      client.write(GET);
      await settle();
      await settle();
      taken(pulls);
      await turnsHave(rig, pulls, expected);
      client.reset();
      await settle();
      await rig.clock.turn();
      assertEquals([pulls.at(-1), await rig.clock.turn(), rig.logged], ["canceled", 0, []]);
    });
  }
});

test("a publisher without subscribers makes turns when it awaits `ready`", async () => {
  const rig = new Rig(Echo, { highWaterMark: MARK });
  rig.clock.holdTurns();
  const steps: string[] = [];
  let isOver = false;
  const loop = (async () => {
    for (; !isOver; steps.push("step")) await rig.app.publish("nobody", "x").ready;
  })();
  await settle();
  taken(steps);
  // Each counts for 1 KiB.
  await turnsHave(rig, steps, 10);
  isOver = true;
  await rig.clock.turn();
  await loop;
});

test("a client that awaits its writes makes turns", async () => {
  const rig = new Rig(Echo, { highWaterMark: MARK });
  rig.clock.holdTurns();
  for (const version of HYBI) {
    const client = await connect(rig.app, "/", { version, ...pair, highWaterMark: MARK });
    const steps: string[] = [];
    const loop = (async () => {
      for (;;) {
        await client.writeMessage(TEXT);
        steps.push("step");
      }
    })();
    const ended = assertRejects(() => loop, WebSocketClosedError);
    await settle();
    assert(taken(steps) > 0);
    // The server echoes each message, which counts as well.
    await rig.clock.turn();
    const count = taken(steps);
    assert(count > 0 && count <= 6, `${count} steps in a turn`);
    client.abort();
    await settle();
    await rig.clock.turn();
    await ended;
    await client.closed;
  }
});
