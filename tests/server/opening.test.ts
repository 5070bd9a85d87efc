import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, test } from "node:test";
import { HttpError } from "../../src/errors.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import type { AccessEntry } from "../../src/server/access_log.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import { Opening, type Responder } from "../../src/server/opening.ts";
import type { ServerConnection } from "../../src/server/server_connection.ts";
import { makeOpening } from "../support/memory_client.ts";
import { Recording } from "../support/recording.ts";
import { type Gate, gate, HIXIE, HYBI, type Joined, Rig, settle } from "../support/rig.ts";

/** A connection whose handler is in `prepare()`. */
interface Preparing extends Joined {
  readonly connection: ServerConnection;
  /** Settles `prepare()`. */
  readonly prepared: Gate;
  /** The entries of the access log: the kind, and the reason or the status. */
  readonly entries: string[];
  readonly rig: Rig;
}

async function prepare(version: WebSocketVersion): Promise<Preparing> {
  const prepared = gate();
  let connection: unknown;
  class Preparing extends WebSocketHandler {
    override prepare(): Promise<void> {
      connection = this.connection;
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
  return { ...joined, connection: connection as ServerConnection, prepared, entries, rig };
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

  test("the 101 may get more fields", async () => {
    const { client, connection, prepared } = await prepare("rfc6455");
    connection.setHeader("X-Late", "but in time");
    prepared.open();
    await settle();
    assertEquals(client.parseAnswer().headers.get("x-late"), "but in time");
  });

  test("bytes are counted, and so are those of key3", async () => {
    const { client, transport, prepared, rig } = await prepare("draft76");
    const { bytesIn } = rig.app.stats().traffic;
    transport.events.data(Uint8Array.of(1, 2, 3));
    assertEquals(rig.app.stats().traffic.bytesIn, bytesIn + 3);
    prepared.open();
    await settle();
    client.write(Uint8Array.of(4, 5, 6, 7, 8));
    await settle();
    assertEquals(rig.app.stats().traffic.bytesIn, bytesIn + 8);
    client.reset();
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
      assertEquals(rig.app.stats().sockets, 1);
      client.reset();
      await settle();
      assertEquals([entries, rig.app.stats().sockets], [["refusal gone"], 0]);
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

describe("handshakeTimeout", () => {
  test("refuses a prepare() that takes longer", async () => {
    const { client, entries, rig } = await prepare("rfc6455");
    await rig.clock.advance(11_000);
    assertEquals([client.parseAnswer().status, entries], [503, ["refusal timeout"]]);
    assertEquals(rig.logged, []);
  });

  test("drops a client of draft76 that does not send key3, and logs it", async () => {
    const rig = new Rig([["/", Recording, []]]);
    const { client } = rig.join();
    client.write(makeOpening("draft76").head);
    await rig.clock.advance(11_000);
    assertEquals(client.events, ["reset"]);
    const { timeout, gone } = rig.app.stats().refused;
    assertEquals([timeout, gone, rig.logged.length], [1, 0, 1]);
    assertStringIncludes(rig.logged[0] ?? "", "key3 must arrive within handshakeTimeout");
  });
});

test("a handler whose client has sent a malformed extension was ended by the protocol", async () => {
  const handlers: WebSocketHandler[] = [];
  class Made extends Recording {
    override prepare(): void {
      handlers.push(this as unknown as WebSocketHandler);
    }
  }
  const { client } = new Rig([["/", Made, []]]).join();
  client.write(makeOpening("rfc6455", { fields: ["Sec-WebSocket-Extensions: ;"] }).head);
  await settle();
  assertEquals(client.parseAnswer().status, 400);
  assertEquals(handlers[0]?.ended, { by: "protocol", code: 1006, reason: "" });
});

describe("a hook that must not be async", () => {
  const hooks = [
    "initialize",
    "allowDraft76",
    "checkOrigin",
    "getWebSocketScheme",
    "selectSubprotocol",
    "getCompressionOptions",
  ];
  for (const hook of hooks) {
    test(`${hook}() is named in the log if it is`, async () => {
      class Wrong extends Recording {}
      Object.defineProperty(Wrong.prototype, hook, { value: () => Promise.resolve() });
      const rig = new Rig([["/", Wrong, []]]);
      const { client } = rig.join();
      const version = hook === "allowDraft76" ? "draft76" : "rfc6455";
      const fields = ["Sec-WebSocket-Extensions: permessage-deflate"];
      client.write(makeOpening(version, { subprotocols: ["a"], fields }).head);
      await settle();
      assertEquals([client.parseAnswer().status, rig.logged.length], [500, 1]);
      assertStringIncludes(rig.logged[0] ?? "", `${hook}()`);
    });
  }
});

test("getWebSocketScheme() of a draft must not be async either", async () => {
  class Wrong extends Recording {
    override checkOrigin(): boolean {
      return true;
    }
  }
  Object.defineProperty(Wrong.prototype, "getWebSocketScheme", { value: () => Promise.resolve() });
  const rig = new Rig([["/", Wrong, []]]);
  const { client } = rig.join();
  client.write(makeOpening("draft76").head);
  await settle();
  assertEquals([client.parseAnswer().status, rig.logged.length], [500, 1]);
  assertStringIncludes(rig.logged[0] ?? "", "getWebSocketScheme()");
});

describe("a draft", () => {
  for (const version of HIXIE) {
    test(`${version}: has no extensions, whatever the client sends`, async () => {
      const called: string[] = [];
      class Asked extends Recording {
        override getCompressionOptions(): undefined {
          called.push("getCompressionOptions");
        }
      }
      const rig = new Rig([["/", Asked, []]]);
      const fields = ["Sec-WebSocket-Extensions: ;"];
      const client = await rig.open(version, { fields });
      assertEquals([client.answer?.status, called], [101, []]);
    });
  }
});

describe("after prepare()", () => {
  test("an open connection shares the text of its head, without the key", async () => {
    const { client, connection, prepared } = await prepare("rfc6455");
    const { heads } = connection.context;
    const shared: string[] = [];
    const share = heads.share.bind(heads);
    heads.share = (text) => {
      shared.push(text);
      return share(text);
    };
    prepared.open();
    await settle();
    assertEquals(client.parseAnswer().status, 101);
    const { text = "" } = connection.head ?? {};
    const key = connection.head?.get("sec-websocket-key") ?? "";
    assertEquals([key.length, shared], [24, [text.replace(key, "?".repeat(24))]]);
  });
});

describe("a server that has waited long enough", () => {
  test("resets a connection whose handler is in prepare()", async () => {
    const { client, connection, prepared, entries } = await prepare("rfc6455");
    connection.terminate();
    await settle();
    assertEquals([client.raw, client.events, entries], ["", ["reset"], ["refusal gone"]]);
    prepared.open();
    await settle();
    assertEquals(entries, ["refusal gone"]);
  });
});

describe("a refusal after prepare()", () => {
  test("reads what the client still sends", async () => {
    const { client, prepared } = await prepare("rfc6455");
    prepared.fail(new HttpError(403));
    await settle();
    assertEquals([client.parseAnswer().status, client.events], [403, ["FIN"]]);
    client.end();
    await settle();
    assertEquals(client.events, ["FIN", "gone"]);
  });
});

describe("the transport of an opening", () => {
  test("releases its peer once the handshake has failed", async () => {
    for (const how of ["refusal", "reset"]) {
      const { client, transport, prepared, connection } = await prepare("rfc6455");
      const calls: string[] = [];
      const note = (name: string) => () => void calls.push(name);
      Object.assign(transport, { releasePeer: note("releasePeer"), resume: note("resume") });
      if (how === "refusal") prepared.fail(new HttpError(403));
      else connection.abort();
      await settle();
      assertEquals(calls, ["resume", "releasePeer"], how);
      client.reset();
    }
  });

  test("is set to no timer before it begins", () => {
    assertEquals(new Opening({} as ServerConnection, {} as Responder).deadline, 0);
  });
});

describe("a hook that closes the connection", () => {
  test("prepare(): no later hook is called, although its promise resolves", async () => {
    const called: string[] = [];
    class Closing extends WebSocketHandler {
      override async prepare(): Promise<void> {
        this.close();
        await settle();
        called.push("prepared");
      }
      override open(): void {
        called.push("open");
      }
      onMessage(): void {}
    }
    const { client } = new Rig(Closing).join();
    client.write(makeOpening("rfc6455").head);
    await settle();
    await settle();
    await settle();
    assertEquals([client.raw, client.events, called], ["", ["reset"], ["prepared"]]);
  });

  test("getWebSocketScheme(): no WebSocket is opened", async () => {
    const called: string[] = [];
    class Closing extends WebSocketHandler {
      override checkOrigin(): boolean {
        return true;
      }
      override getWebSocketScheme(): "ws" {
        this.abort();
        return "ws";
      }
      override open(): void {
        called.push("open");
      }
      onMessage(): void {}
    }
    for (const version of HIXIE) {
      const { client } = new Rig(Closing).join();
      const { head, key3 } = makeOpening(version);
      client.write(head);
      client.write(key3);
      await settle();
      assertEquals([client.events, called], [["reset"], []], version);
    }
  });

  test("selectSubprotocol(): nothing is written", async () => {
    class Closing extends WebSocketHandler {
      override selectSubprotocol(): undefined {
        this.abort();
      }
      onMessage(): void {}
    }
    const rig = new Rig(Closing);
    const { client } = rig.join();
    client.write(makeOpening("rfc6455", { subprotocols: ["a"] }).head);
    await settle();
    assertEquals([client.events, rig.app.stats().traffic.bytesOut], [["reset"], 0]);
  });

  for (const hook of ["initialize", "checkOrigin", "selectSubprotocol"] as const) {
    for (const how of ["close", "abort"] as const) {
      test(`${hook}: ${how}() ends it, and no later hook is called`, async () => {
        const called: string[] = [];
        class Closing extends WebSocketHandler {
          override initialize(): void {
            this.#do("initialize");
          }
          override checkOrigin(): boolean {
            return this.#do("checkOrigin");
          }
          override prepare(): void {
            this.#do("prepare");
          }
          override selectSubprotocol(): string | undefined {
            this.#do("selectSubprotocol");
            return undefined;
          }
          override open(): void {
            this.#do("open");
          }
          onMessage(): void {}
          #do(name: string): boolean {
            called.push(name);
            if (name === hook) this[how]();
            return true;
          }
        }
        const { client } = new Rig(Closing).join();
        client.write(makeOpening("rfc6455", { subprotocols: ["a"] }).head);
        await settle();
        assertEquals([client.raw, client.events], ["", ["reset"]]);
        const all = ["initialize", "checkOrigin", "prepare", "selectSubprotocol"];
        // A check of the origin that is under way ends as any other.
        const last = hook === "initialize" ? "checkOrigin" : hook;
        assertEquals(called, all.slice(0, all.indexOf(last) + 1));
      });
    }
  }
});

describe("what comes with key3", () => {
  for (const transfersChunks of [true, false]) {
    test(`is kept for a busy handler, although the memory is ${transfersChunks ? "" : "not "}given away`, async () => {
      const { promise, open } = gate();
      const messages: string[] = [];
      class Busy extends WebSocketHandler {
        override open(): Promise<void> {
          return promise;
        }
        onMessage(message: string): void {
          messages.push(message);
        }
      }
      const { client } = new Rig(Busy, { maxQueuedSize: 1 }).join({ transfersChunks });
      const { head, key3 } = makeOpening("draft76");
      client.write(head);
      await settle();
      client.write(Uint8Array.of(...key3, 0x00, 0x61, 0xff, 0x00, 0x62, 0xff, 0x00, 0x63, 0xff));
      await settle();
      client.write(Uint8Array.of(0x00, 0x64, 0xff));
      open();
      await settle();
      assertEquals(messages, ["a", "b", "c", "d"]);
    });
  }
});

test("a socket that closes while the refusal is written is not closed once more", async () => {
  const entries: AccessEntry["kind"][] = [];
  const accessLog = (entry: AccessEntry) => void entries.push(entry.kind);
  const { transport, client } = new Rig([["/", Recording, []]], { accessLog }).join();
  const calls: string[] = [];
  transport.write = () => {
    calls.push("write");
    transport.events.closed();
  };
  transport.end = () => calls.push("end");
  client.write(makeOpening("rfc6455", { path: "/nowhere" }).head);
  await settle();
  assertEquals([calls, entries], [["write"], ["refusal"]]);
});
