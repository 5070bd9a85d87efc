/**
 * Every call throws for a wrong argument, and rejects for a closed connection, for both roles, at any time.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { HttpError, WebSocketClosedError } from "../../src/errors.ts";
import { isDraft, type WebSocketVersion } from "../../src/handshake/versions.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import { open as openClient } from "../client/fake_server.ts";
import { makeOpening } from "../support/memory_client.ts";
import { Rig, settle, VERSIONS } from "../support/rig.ts";

/** The common methods of both roles. */
interface Writer {
  writeMessage(message: string | Uint8Array): Promise<void>;
  ping(payload?: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
}

/** Messages that no version has. */
const wrongMessages: readonly unknown[] = [
  undefined,
  null,
  7,
  new Map(),
  Promise.resolve("x"),
  () => "x",
  { circle: 1n },
];

/** Checks that hold in every state. */
function throwsForWrongArguments(writer: Writer, version: WebSocketVersion): void {
  for (const message of wrongMessages) {
    assertThrows(() => void writer.writeMessage(message as string), TypeError, "Cannot send a ");
  }
  assertThrows(() => writer.close(1005), RangeError, "Cannot close with code 1005");
  assertThrows(() => writer.close(1000, "x".repeat(124)), RangeError, "at most 123 bytes, got 124");
  assertThrows(() => writer.close(undefined, "x"), TypeError, "Cannot close with a reason");
  if (!isDraft(version)) {
    assertThrows(() => writer.ping("x".repeat(126)), RangeError, "at most 125 bytes, got 126");
    assertThrows(
      () => writer.ping(5 as unknown as string),
      TypeError,
      "Cannot send a ping: payload",
    );
    return;
  }
  assertThrows(() => writer.ping(), TypeError, `Cannot send a ping: ${version} has none`);
  const says = `Cannot send a binary message: ${version} has none`;
  assertThrows(() => void writer.writeMessage(Uint8Array.of(1)), TypeError, says);
}

function throwsForWrongTopics(handler: WebSocketHandler): void {
  for (const topic of ["", "x".repeat(257), "\ud800", 5 as unknown as string]) {
    assertThrows(() => void handler.subscribe(topic), TypeError, "Cannot subscribe to ");
    assertThrows(() => handler.unsubscribe(topic), TypeError, "Cannot unsubscribe from ");
    assertThrows(() => handler.publish(topic, "x"), TypeError, "Cannot publish to ");
  }
  assertThrows(
    () => void handler.subscribe("topic", { whenSlow: "never" as "skip" }),
    TypeError,
    "Cannot subscribe with whenSlow",
  );
}

/** Checks a connection that cannot send any more. */
async function rejects(writer: Writer, version: WebSocketVersion): Promise<void> {
  throwsForWrongArguments(writer, version);
  await assertRejects(
    () => writer.writeMessage("x"),
    WebSocketClosedError,
    "Cannot write a message",
  );
  if (!isDraft(version)) {
    await assertRejects(() => writer.writeMessage(Uint8Array.of(1)), WebSocketClosedError);
  }
  // These rejections are ignored.
  writer.writeMessage("x");
  if (!isDraft(version)) writer.ping("x");
  writer.close(4000, "late");
}

async function rejectsTopics(handler: WebSocketHandler): Promise<void> {
  throwsForWrongTopics(handler);
  const says = 'Cannot subscribe to "topic": the connection is closed';
  await assertRejects(() => handler.subscribe("topic"), WebSocketClosedError, says);
  handler.subscribe("topic");
  handler.unsubscribe("topic");
  assertEquals(handler.publish("topic", "x").sent, 0);
}

/** A handler that gives itself to the test. */
class Reached extends WebSocketHandler<WebSocketHandler[]> {
  override prepare(): unknown {
    this.options.push(this);
    return undefined;
  }
  onMessage(): void {}
}

/** Opens a client, and returns its handler. */
async function reach(version: WebSocketVersion) {
  const handlers: WebSocketHandler[] = [];
  const rig = new Rig([["/", Reached, handlers]], { pingInterval: 0 });
  const client = await rig.open(version);
  const [handler] = handlers;
  assert(handler !== undefined);
  return { handler, client, rig };
}

for (const version of VERSIONS) {
  describe(`a handler of ${version}`, () => {
    test("during the handshake", async () => {
      const seen: string[] = [];
      class Early extends WebSocketHandler {
        override async prepare(): Promise<void> {
          await Promise.resolve();
          throwsForWrongArguments(this, version);
          throwsForWrongTopics(this);
          assertThrows(() => void this.subscribe("topic"), TypeError, "subscribe in open()");
          await this.writeMessage("early");
          seen.push("written");
        }
        onMessage(): void {}
      }
      const rig = new Rig(Early, { pingInterval: 0 });
      const client = await rig.open(version);
      await settle();
      assertEquals([seen, client.take(), rig.logged], [["written"], ["text early"], []]);
    });

    test("while it is open", async () => {
      const { handler, client } = await reach(version);
      throwsForWrongArguments(handler, version);
      throwsForWrongTopics(handler);
      await handler.writeMessage("fine");
      await handler.subscribe("topic");
      assertEquals(client.take(), ["text fine"]);
      client.reset();
    });

    test("while it is closing, and after the end", async () => {
      const { handler, client, rig } = await reach(version);
      handler.close();
      await rejects(handler, version);
      await rejectsTopics(handler);
      client.end();
      await settle();
      await rejects(handler, version);
      await rejectsTopics(handler);
      assertEquals(rig.logged, []);
    });

    test("after the client is lost, and after abort()", async () => {
      for (const lose of ["client", "handler"]) {
        const { handler, client, rig } = await reach(version);
        if (lose === "client") client.reset();
        else handler.abort();
        await settle();
        await rejects(handler, version);
        await rejectsTopics(handler);
        assertEquals(rig.logged, []);
      }
    });

    test("after it refused the handshake", async () => {
      const handlers: WebSocketHandler[] = [];
      class Refusing extends Reached {
        override prepare(): void {
          super.prepare();
          throw new HttpError(403, "not you");
        }
      }
      const rig = new Rig([["/", Refusing, handlers]], { pingInterval: 0 });
      const client = await rig.send(makeOpening(version).head);
      client.reset();
      await settle();
      assertEquals(handlers.length, 1);
      for (const handler of handlers) {
        await rejects(handler, version);
        await rejectsTopics(handler);
      }
      assertEquals(rig.logged.filter((line) => line.startsWith("Uncaught")), []);
    });
  });

  describe(`a client of ${version}`, () => {
    test("while it is open, while it is closing, and after the end", async () => {
      const { client, server } = await openClient({ version });
      throwsForWrongArguments(client, version);
      await client.writeMessage("fine");
      client.close();
      await rejects(client, version);
      server.transport.destroy();
      await client.closed;
      await rejects(client, version);
    });
  });
}
