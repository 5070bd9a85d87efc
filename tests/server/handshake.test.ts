import { describe, test } from "node:test";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { HttpError } from "../../src/errors.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import { Recording } from "../support/recording.ts";
import { gate, HIXIE, HYBI, Rig, settle, VERSIONS } from "../support/rig.ts";
import { makeOpening } from "../support/memory_client.ts";

/** A handler that does nothing. */
class Quiet extends WebSocketHandler {
  onMessage(): void {}
}

/** The response to an opening handshake of `version`. */
async function answer(rig: Rig, version: Parameters<typeof makeOpening>[0], options = {}) {
  const { head, key3 } = makeOpening(version, options);
  const client = await rig.send(head);
  client.write(key3);
  await settle();
  return { client, ...client.parseAnswer() };
}

for (const version of VERSIONS) {
  describe(`the handshake of ${version}`, () => {
    test("gives a handler its request, options and path, even in its field initializers", async () => {
      const seen: unknown[] = [];
      class Curious extends WebSocketHandler<{ color: string }> {
        readonly url = this.request.url;
        readonly color = this.options.color;
        readonly spoken = this.connection.version;
        override initialize(options: { color: string }): void {
          seen.push(options);
        }
        override open(...args: string[]): void {
          seen.push(this.url, this.color, this.spoken, args, this.params);
          seen.push(this.getCookie("session"), this.getCookie("none", "?"));
          seen.push(
            this.getArgument("q"),
            this.getArguments("q"),
            this.getArgument("none", undefined),
          );
        }
        onMessage(): void {}
      }
      const options = { color: "blue" };
      const rig = new Rig([["/room/:name", Curious, options]]);
      await rig.open(version, {
        path: "/room/caf%C3%A9?q=1&q=2",
        fields: ["Cookie: other=x; session=%22a%20b%22"],
      });
      assertEquals(seen, [
        options,
        "http://localhost/room/caf%C3%A9?q=1&q=2",
        "blue",
        version,
        ["café"],
        { ...{ name: "café" } },
        '"a b"',
        "?",
        "2",
        ["1", "2"],
        undefined,
      ]);
    });

    test("waits for prepare(), holds messages meanwhile, and reads on afterwards", async () => {
      const events: string[] = [];
      const { promise, open } = gate();
      class Slow extends Recording {
        override prepare(): Promise<void> {
          this.note("prepare");
          return promise;
        }
      }
      const rig = new Rig([["/", Slow, events]]);
      const { client, transport } = rig.join();
      const opening = makeOpening(version);
      client.write(opening.head);
      await settle();
      assertEquals(client.raw, "");
      client.write(opening.key3);
      if (HIXIE.includes(version)) client.write(Uint8Array.of(0x00, 0x61, 0xff));
      await settle();
      assertEquals(events, ["prepare"]);
      open();
      await settle();
      client.begin(version, opening.proof);
      client.send("b");
      await settle();
      const early = HIXIE.includes(version) ? ["text a"] : [];
      assertEquals(events, ["prepare", "open", ...early, "text b"]);
      assertEquals(transport.bufferedAmount, 0);
    });

    test("is refused by an HttpError of prepare(), with its fields", async () => {
      class Private extends Quiet {
        override prepare(): void {
          throw new HttpError(401, "log in first", { "WWW-Authenticate": 'Basic realm="x"' });
        }
      }
      const { status, headers, body, client } = await answer(new Rig(Private), version);
      assertEquals([status, headers.get("www-authenticate")], [401, 'Basic realm="x"']);
      assertEquals([body, headers.get("connection")], ["log in first\n", "close"]);
      client.end();
      await settle();
      assertEquals(client.events, ["FIN", "gone"]);
    });

    test("is refused by a rejection of prepare()", async () => {
      class Private extends Quiet {
        override async prepare(): Promise<void> {
          await settle();
          throw new HttpError(402, "pay first");
        }
      }
      const rig = new Rig(Private);
      const { status, client } = await answer(rig, version);
      assertEquals(status, 402);
      client.write("what is sent now is dropped");
      client.end();
      await settle();
      assertEquals([client.events, rig.logged], [["FIN", "gone"], []]);
    });

    for (
      const [name, fails] of [
        ["an error thrown", () => {
          throw new Error("no database");
        }],
        ["a rejection", () => Promise.reject(new Error("no database"))],
        ["a rejection with nothing", () => Promise.reject()],
        ["nothing thrown", () => {
          throw undefined;
        }],
      ] as const
    ) {
      test(`answers ${name} in prepare() with 500, and logs it`, async () => {
        class Broken extends Quiet {
          override prepare(): void | Promise<void> {
            return fails();
          }
        }
        const rig = new Rig(Broken);
        const { status, body } = await answer(rig, version);
        assertEquals([status, body], [500, "internal error\n"]);
        assertEquals(rig.logged.length, 1);
      });
    }

    test("sends the fields of setHeader() with the 101, and none later", async () => {
      const late: unknown[] = [];
      class Cookies extends Quiet {
        override prepare(): void {
          this.setHeader("Set-Cookie", "a=1");
          this.setHeader("Set-Cookie", "b=2");
          this.setHeader("X-Room", "caf\u00e9");
        }
        override open(): void {
          try {
            this.setHeader("X-Late", "1");
          } catch (error) {
            late.push(error);
          }
        }
      }
      const client = await new Rig(Cookies).open(version);
      assertEquals(client.answer?.headers.getSetCookie(), ["a=1", "b=2"]);
      assertStringIncludes(client.raw, "\r\nX-Room: caf\u00e9\r\n");
      assertEquals(late.map((error) => error instanceof TypeError), [true]);
    });

    test("refuses a field with a line break", async () => {
      const bad: [name: string, value: string][] = [
        ["X", "a\r\nY: b"],
        ["X", "a\nb"],
        ["X", "a\0"],
        ["X\r\nY", "a"],
        ["X Y", "a"],
        ["", "a"],
        ["X", "\u{1F600}"],
        ["Upgrade", "h2c"],
        ["Sec-WebSocket-Accept", "x"],
        ["Content-Length", "5"],
      ];
      const thrown: string[] = [];
      class Injecting extends Quiet {
        override prepare(): void {
          for (const [name, value] of bad) {
            try {
              this.setHeader(name, value);
            } catch (error) {
              thrown.push((error as Error).name);
            }
          }
        }
      }
      const client = await new Rig(Injecting).open(version);
      assertEquals(thrown, bad.map(() => "TypeError"));
      const names = [...client.answer?.headers.keys() ?? []];
      assertEquals(names.filter((name) => name.length < 5), []);
    });

    test("checks the origin: by default, only the server's own is allowed", async () => {
      const rig = new Rig(Quiet, { allowedOrigins: ["https://good.example"] });
      const own = await answer(rig, version, { origin: "http://localhost" });
      assertEquals(own.status, 101);
      const listed = await answer(rig, version, { origin: "https://good.example" });
      assertEquals(listed.status, 101);
      for (
        const origin of [
          "http://localhost:8080",
          "https://localhost",
          "http://evil.example",
          "http://good.example",
          "https://good.example.evil",
          "null",
          "http://localhost.evil.example",
        ]
      ) {
        const { status, body } = await answer(rig, version, { origin });
        assertEquals(status, 403);
        assertStringIncludes(body, `the origin "${origin}" may not connect to ws://localhost/: `);
      }
    });

    test("compares the scheme of the origin, too", async () => {
      for (const secure of [true, false]) {
        for (const scheme of ["http", "https"]) {
          const rig = new Rig([["/", Recording, []]]);
          const { client } = rig.join({ secure });
          client.write(makeOpening(version, { origin: `${scheme}://localhost` }).head);
          await settle();
          const status = secure === (scheme === "https") ? 101 : 403;
          assertEquals(client.parseAnswer().status, status, `${scheme} ${secure}`);
          client.reset();
        }
      }
    });

    test("calls the handler's own checkOrigin()", async () => {
      const asked: string[] = [];
      class Picky extends Quiet {
        override checkOrigin(origin: string): boolean {
          asked.push(origin);
          return origin === "http://friend.example";
        }
      }
      const rig = new Rig(Picky);
      assertEquals((await answer(rig, version, { origin: "http://friend.example" })).status, 101);
      assertEquals((await answer(rig, version)).status, 403);
      assertEquals(asked, ["http://friend.example", "http://localhost"]);
    });

    test("chooses a subprotocol that is offered", async () => {
      const offered: unknown[] = [];
      class Choosing extends Quiet {
        override selectSubprotocol(names: readonly string[]): string | undefined {
          offered.push(names);
          return names.at(-1);
        }
        override open(): void {
          offered.push(this.selectedSubprotocol);
        }
      }
      const rig = new Rig(Choosing);
      const field = version === "draft75" ? "websocket-protocol" : "sec-websocket-protocol";
      const names = HYBI.includes(version) ? ["chat", "superchat"] : ["chat, super chat"];
      const client = await rig.open(version, { subprotocols: names });
      assertEquals(client.answer?.headers.get(field), names.at(-1));
      assertEquals(offered, [names, names.at(-1)]);
      const without = await rig.open(version);
      assertEquals(without.answer?.headers.get(field), null);
      assertEquals(offered.length, 3);
    });

    test("chooses no subprotocol by default", async () => {
      const client = await new Rig(Quiet).open(version, { subprotocols: ["chat"] });
      assertEquals(client.raw.toLowerCase().includes("websocket-protocol:"), false);
    });

    test("does not send a subprotocol that was not offered", async () => {
      class Wrong extends Quiet {
        override selectSubprotocol(): string {
          return "x\r\nSet-Cookie: evil=1";
        }
      }
      const rig = new Rig(Wrong);
      const { status, client } = await answer(rig, version, { subprotocols: ["chat"] });
      assertEquals(status, 500);
      assertEquals(client.raw.includes("evil"), false);
      assertEquals(rig.logged.length, 1);
      assertStringIncludes(rig.logged[0] ?? "", "Cannot select subprotocol");
    });

    test("is closed without a response if a hook aborts", async () => {
      for (const hook of ["initialize", "prepare", "checkOrigin", "selectSubprotocol"] as const) {
        const events: string[] = [];
        class Leaving extends Recording {
          override initialize(): void {
            if (hook === "initialize") this.abort();
          }
          override prepare(): void {
            if (hook === "prepare") this.abort();
          }
          override checkOrigin(): boolean {
            if (hook === "checkOrigin") this.close();
            return true;
          }
          override selectSubprotocol(): string | undefined {
            if (hook === "selectSubprotocol") this.abort();
            return undefined;
          }
        }
        const rig = new Rig([["/", Leaving, events]]);
        const { client } = await answer(rig, version, { subprotocols: ["chat"] });
        assertEquals([hook, client.raw, client.events, events], [hook, "", ["reset"], []]);
      }
    });

    test("sends early messages after the 101, and before those of open()", async () => {
      class Eager extends Quiet {
        #greeting = this.writeMessage("field");
        override async prepare(): Promise<void> {
          await this.#greeting;
          await this.writeMessage({ from: "prepare" });
        }
        override open(): void {
          this.writeMessage("open");
        }
      }
      const client = await new Rig(Eager).open(version);
      assertEquals(client.take(), ["text field", 'text {"from":"prepare"}', "text open"]);
    });
  });
}

describe("the handshake of a draft", () => {
  for (const offer of ["a", "a,b", "b, a"]) {
    test(`accepts the one subprotocol ${offer}, of which PhantomJS makes several`, async () => {
      class A extends Quiet {
        override selectSubprotocol(offered: readonly string[]): string | undefined {
          return offered.find((name) => name.split(/, ?/).includes("a"));
        }
      }
      const client = await new Rig(A).open("draft76", { subprotocols: [offer] });
      assertEquals(client.answer?.headers.get("sec-websocket-protocol"), offer);
    });
  }

  for (const version of HIXIE) {
    test(`${version}: has no binary messages, not even before the 101`, async () => {
      const errors: string[] = [];
      class Binary extends Quiet {
        override prepare(): void {
          this.#try();
        }
        override open(): void {
          this.#try();
        }
        #try(): void {
          try {
            this.writeMessage(Uint8Array.of(1));
          } catch (error) {
            errors.push(`${error}`);
          }
        }
      }
      const rig = new Rig(Binary);
      const client = await rig.open(version);
      const message = `TypeError: Cannot send a binary message: ${version} has none`;
      assertEquals([errors, client.events, rig.logged], [[message, message], [], []]);
    });

    test(`${version}: is refused by allowDraft76(), with the list of accepted versions`, async () => {
      class Modern extends Quiet {
        override allowDraft76(): boolean {
          return false;
        }
      }
      const { status, headers } = await answer(new Rig(Modern), version);
      assertEquals([status, headers.get("sec-websocket-version")], [426, "13, 8, 7"]);
    });

    test(`${version}: uses the scheme of getWebSocketScheme()`, async () => {
      class Proxied extends Quiet {
        override getWebSocketScheme(): "ws" | "wss" {
          return "wss";
        }
      }
      const rig = new Rig(Proxied);
      const { headers } = await answer(rig, version, {
        origin: "https://localhost",
        path: "/?a=b",
      });
      const field = version === "draft75" ? "websocket-location" : "sec-websocket-location";
      assertEquals(headers.get(field), "wss://localhost/?a=b");
    });
  }
});
