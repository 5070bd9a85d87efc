import { assert, assertEquals, assertRejects } from "@std/assert";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import { Application, WebSocketHandler } from "../../mod.ts";
import { type WebSocketClientConnection, websocketConnect } from "../../src/client/mod.ts";
import { nodeTransport } from "../../src/transport/node.ts";
import { gate } from "../support/rig.ts";
import { HANDSHAKE, Host, withHost } from "./support.ts";

function connect(host: Host): Promise<WebSocketClientConnection> {
  return websocketConnect(host.url("/echo"));
}

/** Resolves to the close code that a client receives. */
async function closeCode(connection: WebSocketClientConnection): Promise<number | undefined> {
  assertEquals(await connection.readMessage(), undefined);
  await connection.closed;
  return connection.closeCode;
}

describe("shutdown() of an attachment", () => {
  test("closes its connections with 1001, refuses with 503, and leaves HTTP alone", async () => {
    await withHost(async (host, attachment) => {
      const clients = [await connect(host), await connect(host)];
      assertEquals(attachment.connections, 2);
      const done = attachment.shutdown();
      assert(attachment.stopping);
      for (const client of clients) assertEquals(await closeCode(client), 1001);
      await done;
      assertEquals(attachment.connections, 0);
      assert((await host.ask("/echo", ...HANDSHAKE)).startsWith("HTTP/1.1 503 "));
      assert((await host.ask("/beside")).startsWith("HTTP/1.1 200 "));
      assertEquals(host.app.stats().refused.stopping, 1);
      // Another attachment replaces it.
      await using again = host.attach();
      const client = await connect(host);
      await again.shutdown({ code: 1012, reason: "a new version" });
      assertEquals([await closeCode(client), client.closeReason], [1012, "a new version"]);
    });
  });

  test("waits for handlers, and cuts off at its timeout", async () => {
    const { promise, open } = gate();
    const ends: string[] = [];
    class Slow extends WebSocketHandler {
      async onMessage(message: string | Uint8Array): Promise<void> {
        await promise;
        await this.writeMessage(message);
      }
      override onClose(): void {
        ends.push(this.ended?.by ?? "");
      }
    }
    await using host = new Host();
    const app = new Application([["/slow", Slow], ["/stuck", Slow]]);
    const attachment = app.attach(host.server);
    await host.listen();
    const slow = await websocketConnect(host.url("/slow"));
    slow.writeMessage("first");
    while (app.stats().traffic.messagesIn === 0) await new Promise((done) => setTimeout(done, 1));
    const done = attachment.shutdown();
    open();
    assertEquals(await slow.readMessage(), "first");
    assertEquals(await closeCode(slow), 1001);
    await done;
    attachment.detach();

    await using again = app.attach(host.server);
    // The client does not answer the close frame.
    const stuck = await host.connect();
    stuck.write(["GET /stuck HTTP/1.1", "Host: a", ...HANDSHAKE, "", ""].join("\r\n"));
    await stuck.readThrough("\r\n\r\n");
    await again.shutdown({ timeout: 50 });
    assertEquals(again.connections, 0);
    assertEquals(ends.length, 2);
  });

  test("refuses wrong options, and shuts nothing down then", async () => {
    await withHost(async (host, attachment) => {
      await assertRejects(
        () => attachment.shutdown({ timeout: "5" } as never),
        TypeError,
        "Cannot shut down: timeout must be",
      );
      await assertRejects(
        () => host.app.shutdown({ code: 1005 }),
        RangeError,
        "Cannot close with code 1005",
      );
      const client = await connect(host);
      client.close(1000);
      assertEquals(await closeCode(client), 1000);
    });
  });
});

describe("app.shutdown()", () => {
  test("ends what came by listen, attach, accept and handleUpgrade", async () => {
    await using host = new Host();
    const { app } = host;
    host.attach();
    await host.listen();

    const server = app.listen({ port: 0, hostname: "127.0.0.1" });
    await server.listening;

    await using second = new Host();
    second.server.on(
      "upgrade",
      (request, socket, head) => app.handleUpgrade(request, socket, head),
    );
    await second.listen();

    const raw = createServer((socket) => app.accept(nodeTransport(socket)));
    await new Promise<void>((resolve) => raw.listen(0, "127.0.0.1", resolve));

    const ports = [
      host.port,
      server.addr.port,
      second.port,
      (raw.address() as { port: number }).port,
    ];
    const clients: WebSocketClientConnection[] = [];
    for (const port of ports) {
      clients.push(await websocketConnect(`ws://127.0.0.1:${port}/echo`));
    }
    assertEquals(app.stats().sockets, 4);
    const done = app.shutdown({ code: 1012 });
    for (const client of clients) assertEquals(await closeCode(client), 1012);
    await done;
    await server.finished;
    assertEquals(app.stats().sockets, 0);
    await assertRejects(() => websocketConnect(`ws://127.0.0.1:${ports[1]}/echo`));
    for (const port of [ports[0], ports[2], ports[3]]) {
      const error = await assertRejects(() => websocketConnect(`ws://127.0.0.1:${port}/echo`));
      assert(String(error).includes("503"), String(error));
    }
    // A second call has nothing to do.
    await app.shutdown();
    await new Promise((resolve) => raw.close(resolve));
  });

  test("may be called by a handler, in the middle of its handshake", async () => {
    const { promise, open } = gate();
    class Stopping extends WebSocketHandler {
      override open(): void {
        this.application.shutdown().then(open);
      }
      onMessage(): void {}
    }
    await using host = new Host();
    const app = new Application([["/stop", Stopping]]);
    app.attach(host.server);
    await host.listen();
    assertEquals(await closeCode(await websocketConnect(host.url("/stop"))), 1001);
    await promise;
    assertEquals(app.stats().sockets, 0);
  });
});
