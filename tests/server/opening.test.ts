import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { HttpError } from "../../src/errors.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import type { AccessEntry } from "../../src/server/access_log.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import { makeOpening } from "../support/memory_client.ts";
import { type Gate, gate, HYBI, type Joined, Rig, settle } from "../support/rig.ts";

/** A connection whose handler is in `prepare()`. */
interface Preparing extends Joined {
  /** Settles `prepare()`. */
  readonly prepared: Gate;
  /** The entries of the access log: the kind, and the reason or the status. */
  readonly entries: string[];
  readonly rig: Rig;
}

async function prepare(version: WebSocketVersion): Promise<Preparing> {
  const prepared = gate();
  class Preparing extends WebSocketHandler {
    override prepare(): Promise<void> {
      return prepared.promise;
    }
    onMessage(): void {}
  }
  const entries: string[] = [];
  const rig = new Rig(Preparing, {
    accessLog: (entry: AccessEntry) => {
      entries.push(`${entry.kind} ${entry.kind === "refusal" ? entry.reason : ""}`.trim());
    },
  });
  const joined = rig.join({ capacity: 0 });
  joined.client.write(makeOpening(version).head);
  await settle();
  return { ...joined, prepared, entries, rig };
}

describe("while prepare() is pending", () => {
  test("nothing is read from the client", async () => {
    const { client, prepared } = await prepare("rfc6455");
    client.write(Uint8Array.of(0x81, 0x81, 0, 0, 0, 0, 0x61));
    await settle();
    assertEquals(client.transport.bufferedAmount, 7);
    prepared.open();
    await settle();
    assertEquals(client.transport.bufferedAmount, 0);
  });

  for (const version of HYBI) {
    test(`${version}: the client may send FIN`, async () => {
      const { client, transport, prepared, entries } = await prepare(version);
      transport.events.end();
      assertEquals([client.events, entries], [[], []]);
      prepared.open();
      await settle();
      assertEquals([client.parseAnswer().status, entries], [101, ["handshake"]]);
    });
  }

  test("draft76: a client that sends FIN has not sent key3", async () => {
    const { client, transport, prepared, entries } = await prepare("draft76");
    transport.events.end();
    assertEquals([client.events, entries], [[], []]);
    prepared.open();
    await settle();
    assertEquals([client.events, entries], [["reset"], ["refusal gone"]]);
  });

  for (const error of [undefined, new HttpError(403), new Error("of prepare()")]) {
    test(`the client may close the connection, and ${error ?? "nothing"} comes too late`, async () => {
      const { client, prepared, entries, rig } = await prepare("rfc6455");
      client.reset();
      await settle();
      assertEquals(entries, ["refusal gone"]);
      if (error === undefined) prepared.open();
      else prepared.fail(error);
      await settle();
      assertEquals(entries, ["refusal gone"]);
      // An error of the application is logged in any case.
      const isFault = error !== undefined && !(error instanceof HttpError);
      assertEquals(rig.logged.length, isFault ? 1 : 0);
    });
  }
});
