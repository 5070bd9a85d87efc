import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import {
  Application,
  HttpError,
  type Published,
  type Subscribed,
  WebSocketHandler,
} from "../../mod.ts";
import type { HandlerConnection } from "../../src/server/connection_info.ts";
import { makeOpening } from "../support/memory_client.ts";
import { HYBI, Rig, settle, VERSIONS } from "../support/rig.ts";

/** Reads an argument in the hook that a test chooses. */
class Asking extends WebSocketHandler<{ readonly hook: string }> {
  override initialize(): void {
    this.#in("initialize");
  }
  override allowDraft76(): boolean {
    return this.#in("allowDraft76") !== "no";
  }
  override checkOrigin(): boolean {
    return this.#in("checkOrigin") !== "no";
  }
  override async prepare(): Promise<void> {
    this.#in("prepare");
    await Promise.resolve();
    this.#in("later in prepare");
  }
  override selectSubprotocol(offered: readonly string[]): string | undefined {
    this.#in("selectSubprotocol");
    return offered[0];
  }
  override open(): void {
    this.#in("open");
  }
  async onMessage(): Promise<void> {
    this.#in("onMessage");
    await settle();
    this.#in("later in onMessage");
  }
  override onClose(): void {
    this.#in("onClose");
  }

  #in(hook: string): string {
    return hook === this.options.hook ? this.getArgument('the "token"') : "";
  }
}

/** The results for one argument, for "", for several, and for none. */
const path = "/?a=1&b=&c=1&c=2&d=%C3%A9+%2B";

for (const version of VERSIONS) {
  describe(`a missing argument, in ${version},`, () => {
    const before = [
      "initialize",
      "checkOrigin",
      "prepare",
      "later in prepare",
      "selectSubprotocol",
    ];
    if (!HYBI.includes(version)) before.push("allowDraft76");
    for (const hook of before) {
      test(`is a 400 in ${hook}, with its name`, async () => {
        const rig = new Rig([["/", Asking, { hook }]], { pingInterval: 0 });
        const { head } = makeOpening(version, { path, subprotocols: ["a"] });
        const { status, body } = (await rig.send(head)).parseAnswer();
        assertEquals([status, body], [400, 'missing argument "the \\"token\\""\n']);
        assertEquals(rig.logged, []);
      });
    }

    for (const hook of ["open", "onMessage", "later in onMessage", "onClose"]) {
      test(`closes the connection like any exception in ${hook}`, async () => {
        const rig = new Rig([["/", Asking, { hook }]], { pingInterval: 0 });
        const client = await rig.open(version, { path });
        client.send("x");
        await settle();
        await settle();
        const heard = hook !== "onClose" && HYBI.includes(version)
          ? ["close 1011 internal error"]
          : [];
        assertEquals(client.take().filter((event) => event.startsWith("close 1")), heard);
        client.end();
        await settle();
        assertEquals(rig.logged, ['Uncaught exception in "/": missing argument "the \\"token\\""']);
      });
    }
  });
}

/** A handler that was made from a Request. */
class Alone extends WebSocketHandler<number> {
  onMessage(): void {}
}

function makeAlone(headers: Record<string, string> = {}): Alone {
  return new Alone(new Application([]), new Request(`http://localhost${path}`, { headers }), 5);
}

describe("a handler that is made from a Request", () => {
  test("has its arguments", () => {
    const handler = makeAlone();
    assertEquals(["a", "b", "c", "d"].map((name) => handler.getArgument(name)), [
      "1",
      "",
      "2",
      "\u00e9 +",
    ]);
    assertEquals(handler.getArguments("c"), ["1", "2"]);
    assertEquals(handler.getArguments("none"), []);
    const fallbacks = ["", "x", undefined, null, 7];
    assertEquals(fallbacks.map((fallback) => handler.getArgument("none", fallback)), fallbacks);
    assertEquals(
      fallbacks.map((fallback) => handler.getArgument("b", fallback)),
      Array(5).fill(""),
    );
    assertEquals([handler.getQueryArgument("a"), handler.getQueryArguments("c")], ["1", [
      "1",
      "2",
    ]]);
    assertEquals(fallbacks.map((other) => handler.getQueryArgument("none", other)), fallbacks);
    for (const get of ["getArgument", "getQueryArgument"] as const) {
      const error = assertThrows(() => handler[get]("none"), HttpError, 'argument "none"');
      assertEquals(error.status, 400);
    }
  });

  test("has its cookies", () => {
    const handler = makeAlone({ cookie: "a=1; b=; a=2" });
    assertEquals([handler.getCookie("a"), handler.getCookie("b")], ["1", ""]);
    assertEquals([handler.getCookie("none"), handler.getCookie("none", undefined)], [
      undefined,
      undefined,
    ]);
    assertEquals([handler.getCookie("none", null), handler.getCookie("none", "x")], [null, "x"]);
    assertEquals(handler.getCookie("a", null), "1");
    assertEquals(makeAlone().getCookie("a"), undefined);
  });

  test("has its options, no parameters, and no connection", () => {
    const handler = makeAlone();
    assertEquals([handler.options, handler.params], [5, {}]);
    for (
      const use of [
        () => handler.connection,
        () => handler.version,
        () => handler.bufferedAmount,
        () => void handler.writeMessage("x"),
        () => handler.setHeader("a", "b"),
        () => handler.checkOrigin("http://localhost"),
      ]
    ) assertThrows(use, TypeError, "this handler was made from a Request alone");
  });
});

describe("a handler that is made with another implementation of a connection", () => {
  const address = { transport: "tcp", hostname: "192.0.2.1", port: 5 } as const;

  /** The connection that a test without an application may write. */
  class Foreign implements HandlerConnection {
    readonly calls: unknown[][] = [];
    readonly remoteAddress = address;
    readonly localAddress = address;
    readonly secure = true;
    readonly version = "hybi-07";
    readonly rawRequest = "raw";
    readonly host = "example.com";
    readonly latency = 7;
    readonly topicNames = ["news"];
    readonly pathArgs = ["lobby"];
    readonly params = { room: "lobby" };
    readonly subprotocol = "chat";
    readonly bufferedAmount = 3;
    readonly closeCode = 4000;
    readonly closeReason = "bye";
    readonly end = { by: "peer", code: 4000, reason: "bye" } as const;
    readonly signal = AbortSignal.abort(this.end);
    readonly closed = Promise.resolve(this.end);
    runHooksIn(...args: unknown[]): void {
      this.calls.push(["runHooksIn", ...args]);
    }
    toRequest(): Request {
      return new Request("https://example.com/?a=1");
    }
    setHeader(...args: unknown[]): void {
      this.calls.push(["setHeader", ...args]);
    }
    async writeMessage(...args: unknown[]): Promise<void> {
      await Promise.resolve(this.calls.push(["writeMessage", ...args]));
    }
    ping(...args: unknown[]): void {
      this.calls.push(["ping", ...args]);
    }
    close(...args: unknown[]): void {
      this.calls.push(["close", ...args]);
    }
    abort(): void {
      this.calls.push(["abort"]);
    }
    setNoDelay(on: boolean): void {
      this.calls.push(["setNoDelay", on]);
    }
    async subscribe(...args: unknown[]): Promise<Subscribed> {
      await Promise.resolve(this.calls.push(["subscribe", ...args]));
      return { recovered: false, position: undefined };
    }
    unsubscribe(...args: unknown[]): void {
      this.calls.push(["unsubscribe", ...args]);
    }
    publish(...args: unknown[]): Published {
      this.calls.push(["publish", ...args]);
      const ready = Promise.resolve();
      const position = Promise.resolve({ epoch: "x", offset: 1 });
      return { sent: 1, skipped: 0, unsupported: 0, disconnected: 0, ready, position };
    }
    logException(error: unknown): void {
      this.calls.push(["logException", error]);
    }
    guard<Result>(callback: () => Result): Result | undefined {
      return callback();
    }
  }

  test("works", async () => {
    const foreign = new Foreign();
    const handler = new Alone(new Application([]), foreign, 5);
    assertStrictEquals(handler.connection, foreign);
    assertEquals(handler.rawRequest, "raw");
    assertEquals([handler.version, handler.params, handler.selectedSubprotocol], [
      "hybi-07",
      { room: "lobby" },
      "chat",
    ]);
    assertEquals([handler.closeCode, handler.closeReason, handler.bufferedAmount], [
      4000,
      "bye",
      3,
    ]);
    assertEquals([handler.ended?.by, handler.getArgument("a")], ["peer", "1"]);
    assert(
      handler.checkOrigin("https://example.com") && !handler.checkOrigin("http://example.com"),
    );
    await handler.writeMessage("x");
    await handler.subscribe("news", { whenSlow: "skip" });
    handler.unsubscribe("news");
    assertEquals(handler.publish("news", "y").sent, 1);
    handler.setHeader("a", "b");
    handler.ping("z");
    handler.setNodelay(false);
    handler.close(4000, "bye");
    handler.abort();
    handler.logException("error");
    assertEquals(handler.asyncCallback((a: number, b: number) => a + b, 1)(2), 3);
    assertEquals(foreign.calls, [
      ["writeMessage", "x"],
      ["subscribe", "news", { whenSlow: "skip" }],
      ["unsubscribe", "news"],
      ["publish", "news", "y"],
      ["setHeader", "a", "b"],
      ["ping", "z"],
      ["setNoDelay", false],
      ["close", 4000, "bye"],
      ["abort"],
      ["logException", "error"],
    ]);
  });
});
