import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Server as HttpServer } from "node:http";
import { describe, test } from "node:test";
import type { Duplex } from "node:stream";
import { Application, WebSocketHandler } from "../../mod.ts";
import type { Attachment } from "../../src/server/attachment.ts";
import type { UpgradeRequest } from "../../src/server/upgrade_request.ts";
import { HANDSHAKE, Host, KINDS, withHost } from "./support.ts";

/** Another `upgrade` listener. It records the paths and answers with status 418. */
function other(host: Host, name = "other"): { readonly seen: string[]; listen(): void } {
  const seen: string[] = [];
  const listener = ({ url }: { url?: string }, socket: Duplex): void => {
    seen.push(`${name} ${url}`);
    socket.end("HTTP/1.1 418 I'm a teapot\r\nConnection: close\r\n\r\n");
  };
  return { seen, listen: () => void host.server.on("upgrade", listener) };
}

/** Resolves to the status of the response to a request. */
async function status(host: Host, path: string, ...fields: readonly string[]): Promise<string> {
  return (await host.ask(path, ...fields)).split(" ")[1] ?? "";
}

const h2c = ["Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMA"];

describe("a request that a route matches", () => {
  test("reaches no other listener, whenever it was added and whenever we attach", async () => {
    for (const kind of KINDS) {
      for (const attaches of ["before listen", "after listen", "after a request"]) {
        await using host = new Host({}, kind);
        const before = other(host, "before");
        before.listen();
        if (attaches === "before listen") host.attach();
        await host.listen();
        if (attaches === "after a request") await host.ask("/");
        if (attaches !== "before listen") host.attach();
        const after: string[] = [];
        const note = ({ url }: { url?: string }) => void after.push(`${url}`);
        host.server.prependListener("upgrade", note);
        host.server.once("upgrade", note);
        assertEquals(await status(host, "/echo", ...HANDSHAKE), "101");
        assertEquals([before.seen, after], [[], []]);
        // A request for another path reaches each other listener once.
        assertEquals(await status(host, "/other?a=1", ...HANDSHAKE), "418");
        assertEquals(before.seen, ["before /other?a=1"]);
        assertEquals(after, ["/other?a=1", "/other?a=1"]);
      }
    }
  });

  test("gets 404 from us, if it matches none and there is no other listener", async () => {
    await withHost(async (host) => {
      assertEquals(await status(host, "/other", ...HANDSHAKE), "404");
      assertEquals(host.app.stats().refused.path, 1);
      const { listen, seen } = other(host);
      listen();
      assertEquals(await status(host, "/other", ...HANDSHAKE), "418");
      host.server.removeAllListeners("upgrade");
      assertEquals(await status(host, "/other", ...HANDSHAKE), "404");
      assertEquals(await status(host, "/echo", ...HANDSHAKE), "101");
      assertEquals(seen, ["other /other"]);
    });
  });

  test("is ours if the event did not come by emit", async () => {
    await using host = new Host();
    // As Fastify does for the second address of localhost, before or after.
    const bound = host.server.emit.bind(host.server, "upgrade");
    host.attach();
    await host.listen();
    const second = new HttpServer();
    second.on("upgrade", bound);
    await new Promise<void>((resolve) => second.listen(0, "127.0.0.1", resolve));
    const { port } = second.address() as { port: number };
    const first = host.server;
    Object.assign(host, { server: second });
    assertEquals(host.port, port);
    assertEquals(await status(host, "/echo", ...HANDSHAKE), "101");
    assertEquals(await status(host, "/other", ...HANDSHAKE), "404");
    Object.assign(host, { server: first });
    await host.close();
    second.close();
  });
});

describe("another Upgrade", () => {
  test("is not ours: the HTTP server answers", async () => {
    for (const kind of KINDS) {
      await withHost(async (host) => {
        for (const path of ["/echo", "/other"]) {
          assertEquals(await status(host, path, ...h2c), "200");
        }
        // Other `upgrade` listeners get these requests, as without an attachment.
        const { listen, seen } = other(host);
        listen();
        assertEquals(await status(host, "/other", ...h2c), "418");
        assertEquals(seen, ["other /other"]);
      }, { kind });
    }
  });

  test("goes by the server's own shouldUpgradeCallback", async () => {
    await using host = new Host();
    const asked: string[] = [];
    const shouldUpgradeCallback = ({ url }: UpgradeRequest): boolean => {
      asked.push(`${url}`);
      return url === "/yes";
    };
    Object.assign(host.server, { shouldUpgradeCallback });
    const { listen, seen } = other(host);
    listen();
    const attachment = host.attach();
    await host.listen();
    assertEquals(await status(host, "/yes", ...h2c), "418");
    assertEquals(await status(host, "/no", ...h2c), "200");
    assertEquals(await status(host, "/no", ...HANDSHAKE), "200");
    assertEquals(await status(host, "/echo", ...HANDSHAKE), "101");
    assertEquals([seen, asked], [["other /yes"], ["/yes", "/no", "/no"]]);
    attachment.detach();
    assertStrictEquals(Reflect.get(host.server, "shouldUpgradeCallback"), shouldUpgradeCallback);
  });
});

describe("passThrough", () => {
  test("leaves requests to others without asking the routes", async () => {
    const asked: string[] = [];
    const passThrough = ({ url }: UpgradeRequest): boolean => {
      asked.push(`${url}`);
      return url === "/echo?theirs";
    };
    await withHost(async (host) => {
      const { listen, seen } = other(host);
      listen();
      assertEquals(await status(host, "/echo?theirs", ...HANDSHAKE), "418");
      assertEquals(await status(host, "/echo", ...HANDSHAKE), "101");
      assertEquals(seen, ["other /echo?theirs"]);
      // Called once for each request with Upgrade, and not for other requests.
      await host.ask("/echo");
      assertEquals(asked, ["/echo?theirs", "/echo"]);
    }, { options: { passThrough } });
  });

  test("gets the answer of the HTTP server if there is no other", async () => {
    await withHost(async (host) => {
      assertEquals(await status(host, "/echo", ...HANDSHAKE), "200");
      // As on runtimes without shouldUpgradeCallback, such as Node before 24.9.
      Reflect.deleteProperty(host.server, "shouldUpgradeCallback");
      Object.assign(host.server, { shouldUpgradeCallback: () => true });
      assertEquals(await status(host, "/echo", ...HANDSHAKE), "404");
    }, { options: { passThrough: () => true } });
  });

  const FAULTS: readonly [name: string, run: () => boolean, line: string][] = [
    ["throws", () => {
      throw new Error("oops");
    }, "Uncaught exception in passThrough: oops"],
    [
      "returns a promise",
      () => Promise.resolve(false) as unknown as boolean,
      "Uncaught exception in passThrough: Cannot wait for passThrough(): only prepare() may return a promise",
    ],
  ];
  for (const [name, passThrough, line] of FAULTS) {
    test(`refuses with 500 if it ${name}, and logs it`, async () => {
      await withHost(async (host) => {
        const { listen, seen } = other(host);
        listen();
        assertEquals(await status(host, "/echo", ...HANDSHAKE), "500");
        assertEquals([seen, host.app.stats().refused.error], [[], 1]);
      }, { options: { passThrough }, logged: [line] });
    });
  }
});

describe("attach()", () => {
  class Second extends WebSocketHandler {
    onMessage(): void {}
  }

  test("takes several applications, and the first that matches", async () => {
    await using host = new Host();
    host.attach();
    const second = new Application([["/second", Second], ["/echo", Second]]);
    const attachment = second.attach(host.server);
    await host.listen();
    assertEquals(await status(host, "/echo", ...HANDSHAKE), "101");
    assertEquals(await status(host, "/second", ...HANDSHAKE), "101");
    assertEquals(await status(host, "/third", ...HANDSHAKE), "404");
    assertEquals([host.app.stats().connections.total, second.stats().connections.total], [1, 1]);
    await second.shutdown({ timeout: 1 });
    attachment.detach();
    assertEquals(await status(host, "/second", ...HANDSHAKE), "404");
  });

  test("refuses what is not a server, an unknown option, and a second time", async () => {
    await using host = new Host();
    for (
      const [server, shown] of [[8080, "8080"], [null, "null"], [{}, "an object"]] as const
    ) {
      assertThrows(
        () => host.app.attach(server as never),
        TypeError,
        `Cannot attach: expected a server of node:http, node:https or node:http2, got ${shown}`,
      );
    }
    assertThrows(
      () => host.attach({ path: "/ws" } as never),
      TypeError,
      'Cannot use attach option "path": unknown',
    );
    assertThrows(
      () => host.attach({ passThrough: true } as never),
      TypeError,
      "Cannot attach: passThrough must be a function, got true",
    );
    assertEquals(host.server.listenerCount("upgrade"), 0);
    host.attach();
    assertThrows(
      () => host.attach(),
      TypeError,
      "Cannot attach: the application is attached to this server already",
    );
    await host.listen();
    assertEquals(await status(host, "/echo", ...HANDSHAKE), "101");
    await host.close();
    assertThrows(() => host.attach(), TypeError, "Cannot attach: the application was shut down");
    assertThrows(
      () => host.app.listen(0),
      TypeError,
      "Cannot listen: the application was shut down",
    );
  });
});

describe("detach()", () => {
  /** The properties of a server that attaching changes. */
  function look({ server }: Host): unknown[] {
    const names = ["emit", "shouldUpgradeCallback"];
    return [
      ...names.flatMap((name) => [Object.hasOwn(server, name), Reflect.get(server, name)]),
      server.listenerCount("upgrade"),
    ];
  }

  test("leaves the server as it was, and open connections open", async () => {
    for (const kind of KINDS) {
      await using host = new Host({}, kind);
      const before = look(host);
      const attachment: Attachment = host.attach();
      await host.listen();
      const client = await host.connect();
      client.write(["GET /echo HTTP/1.1", "Host: a", ...HANDSHAKE, "", ""].join("\r\n"));
      await client.readThrough("\r\n\r\n");
      attachment.detach();
      attachment.detach();
      assertEquals(look(host), before);
      assertEquals(await status(host, "/echo", ...HANDSHAKE), "200");
      client.write(Uint8Array.of(0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69));
      assertEquals(await client.read(4), Uint8Array.of(0x81, 2, 0x68, 0x69));
      assertEquals(attachment.connections, 1);
      const again = host.attach();
      assertEquals(await status(host, "/echo", ...HANDSHAKE), "101");
      again.detach();
      assertEquals(look(host), before);
      // The attachment still shuts down its own connections.
      const done = attachment.shutdown();
      assertEquals(await client.read(4), Uint8Array.of(0x88, 2, 0x03, 0xe9));
      client.write(Uint8Array.of(0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9));
      client.end();
      await done;
      assertEquals(attachment.connections, 0);
    }
  });

  test("does nothing more if somebody has replaced emit since", async () => {
    await using host = new Host();
    const attachment = host.attach();
    const ours = host.server.emit;
    const events: string[] = [];
    // As instrumentation libraries do.
    host.server.emit = function (this: unknown, event: string, ...args: unknown[]): boolean {
      events.push(event);
      return Reflect.apply(ours, this, [event, ...args]);
    };
    const theirs = host.server.emit;
    await host.listen();
    assertEquals(await status(host, "/echo", ...HANDSHAKE), "101");
    attachment.detach();
    assertStrictEquals(host.server.emit, theirs);
    const { listen, seen } = other(host);
    listen();
    assertEquals(await status(host, "/echo", ...HANDSHAKE), "418");
    assertEquals(seen, ["other /echo"]);
    const again = host.attach();
    assertEquals(await status(host, "/echo", ...HANDSHAKE), "101");
    again.detach();
    assertStrictEquals(host.server.emit, theirs);
    assertEquals(events.filter((event) => event === "upgrade").length, 2);
  });
});
