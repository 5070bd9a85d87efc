import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { describe, test } from "node:test";
import { HandshakeError, WebSocketClosedError } from "../../src/client/mod.ts";
import { Application, HttpError, WebSocketHandler } from "../../mod.ts";
import { WEBSOCKET_VERSIONS } from "../../src/handshake/versions.ts";
import { connect, FakeClock, TestConnection } from "../../src/testing/mod.ts";

class Echo extends WebSocketHandler {
  onMessage(message: string | Uint8Array): Promise<void> {
    return this.writeMessage(message);
  }
}

/** Sends what it knows about its connection. */
class Mirror extends WebSocketHandler {
  override prepare(): void {
    if (this.getCookie("session") === "expired") throw new HttpError(401, "log in again");
  }

  override selectSubprotocol(offered: readonly string[]): string | undefined {
    return offered.at(-1);
  }

  override open(name: string): void {
    const { remoteAddress, secure, version } = this.connection;
    this.writeMessage({
      name,
      query: this.getArgument("q", undefined),
      cookie: this.getCookie("session"),
      origin: this.request.headers.get("origin"),
      hostname: remoteAddress.hostname,
      secure,
      version,
    });
  }

  onMessage(): void {}
}

const app = new Application([["/echo", Echo], ["/mirror/:name", Mirror]], {
  versions: WEBSOCKET_VERSIONS,
  compression: { threshold: 0 },
});

async function reflection(client: TestConnection): Promise<Record<string, unknown>> {
  return JSON.parse(String(await client.readMessage()));
}

describe("the test kit connects a client to an application", () => {
  test("in one line", async () => {
    const client = await connect(app, "/echo");
    client.writeMessage("Hello");
    assertEquals(await client.readMessage(), "Hello");
    assertInstanceOf(client, TestConnection);
    client.close(1000);
    assertEquals(await client.readMessage(), undefined);
    assertEquals(client.closeCode, 1000);
    await client.closed;
  });

  for (const version of WEBSOCKET_VERSIONS) {
    for (const split of [1, 3, (available: number) => Math.ceil(available / 2)]) {
      test(`in ${version}, with bytes in pieces of ${split}`, async () => {
        await using client = await connect(app, "/echo", { version, split });
        for (const message of ["", "Hello", "žluťoučký kůň", "x".repeat(300)]) {
          client.writeMessage(message);
          assertEquals(await client.readMessage(), message);
        }
      });
    }
  }

  test("with compression", async () => {
    const client = await connect(app, "/echo", { compression: { threshold: 0 }, split: 1 });
    assert(client.headers.get("sec-websocket-extensions")?.startsWith("permessage-deflate"));
    for (const message of ["Hello", "Hello".repeat(100), new Uint8Array(1000)]) {
      client.writeMessage(message);
      assertEquals(await client.readMessage(), message);
    }
    client.abort();
  });

  test("with a query, fields, a subprotocol, an address and TLS", async () => {
    const client = await connect(app, "/mirror/me?q=a%20b", {
      headers: { Cookie: "session=1" },
      origin: "https://localhost",
      subprotocols: ["a", "b"],
      remoteAddress: { transport: "tcp", hostname: "203.0.113.7", port: 1 },
      secure: true,
    });
    assertEquals(client.selectedSubprotocol, "b");
    assertEquals(await reflection(client), {
      name: "me",
      query: "a b",
      cookie: "1",
      origin: "https://localhost",
      hostname: "203.0.113.7",
      secure: true,
      version: "rfc6455",
    });
    client.abort();
  });

  test("unless the application refuses the handshake", async () => {
    const refused = async (path: string, options = {}) => {
      const error = await assertRejects(() => connect(app, path, options), HandshakeError);
      return [error.status, error.body];
    };
    assertEquals(await refused("/nowhere"), [404, "no route matches the path\n"]);
    const headers = { Cookie: "session=expired" };
    assertEquals(await refused("/mirror/me", { headers }), [401, "log in again\n"]);
    const [status] = await refused("/echo", { origin: "http://evil.example" });
    assertEquals(status, 403);
  });

  test("and leaves nothing open if its options are wrong", async () => {
    const clock = new FakeClock();
    const app = new Application([["/", Echo]], { clock });
    await assertRejects(() => connect(app, "/", { version: "14" as "rfc6455" }), TypeError, "14");
    await assertRejects(() => connect(app, "/#a"), TypeError, "fragment");
    await clock.advance(0);
    assertEquals(app.stats().sockets, 0);
  });

  test("any number of times", async () => {
    const clients = await Promise.all(Array.from({ length: 100 }, () => connect(app, "/echo")));
    clients.forEach((client, i) => client.writeMessage(`${i}`));
    const echoes = await Promise.all(clients.map((client) => client.readMessage()));
    assertEquals(echoes, clients.map((_, i) => `${i}`));
    for (const client of clients) client.abort();
  });
});

describe("the test kit stalls", () => {
  test("the bytes of both ends, and then delivers them in order", async () => {
    const client = await connect(app, "/echo");
    client.stall();
    assertEquals(client.stalled, true);
    client.writeMessage("one");
    client.writeMessage("two");
    let read = false;
    const reading = client.readMessage().then((message) => {
      read = true;
      return message;
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    assertEquals(read, false);
    client.flow();
    assertEquals([client.stalled, await reading, await client.readMessage()], [
      false,
      "one",
      "two",
    ]);
    client.abort();
  });

  test("a client that does not read, so that its handler must wait", async () => {
    let sent = 0;
    const done = Promise.withResolvers<void>();
    class Source extends WebSocketHandler {
      override async open(): Promise<void> {
        for (; sent < 100; sent++) await this.writeMessage("x".repeat(1000));
        done.resolve();
      }
      onMessage(): void {}
    }
    const app = new Application([["/", Source]], { highWaterMark: 2000 });
    const client = await connect(app, "/", { capacity: 0, maxQueuedSize: 2000 });
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert(sent < 20, `${sent} messages were sent`);
    for (let i = 0; i < 100; i++) assertEquals(String(await client.readMessage()).length, 1000);
    // The last promise may wait for the next turn of the event loop.
    await done.promise;
    assertEquals(sent, 100);
    client.abort();
  });
});

describe("the test kit advances the time", () => {
  const settings = { pingInterval: 1000, pingTimeout: 2000, idleTimeout: 60_000 };

  test("of both ends at once: an hour of pings takes no time", async () => {
    const clock = new FakeClock();
    let pings = 0;
    const onPing = () => void pings++;
    const app = new Application([["/", Echo]], { ...settings, idleTimeout: 0, clock });
    const client = await connect(app, "/", { onPing });
    const before = clock.now();
    await clock.advance(60_000);
    assertEquals([clock.now() - before, pings], [60_000, 60]);
    client.writeMessage("still here");
    assertEquals(await client.readMessage(), "still here");
    client.abort();
  });

  test("until an idle client is closed", async () => {
    const clock = new FakeClock();
    const client = await connect(new Application([["/", Echo]], { ...settings, clock }), "/");
    await clock.advance(61_000);
    assertEquals(await client.readMessage(), undefined);
    assertEquals([client.closeCode, client.closeReason], [1001, "idle timeout"]);
  });

  test("until a connection with a broken network is closed, at both ends", async () => {
    const clock = new FakeClock();
    let closes = 0;
    class Counted extends Echo {
      override onClose(): void {
        closes++;
      }
    }
    const app = new Application([["/", Counted]], { ...settings, clock });
    const client = await connect(app, "/", { pingInterval: 1000, pingTimeout: 2000 });
    client.stall();
    await clock.advance(10_000);
    assertEquals(closes, 1);
    await assertRejects(() => client.readMessage(), WebSocketClosedError, "pingTimeout");
  });

  test("until a handshake times out", async () => {
    const clock = new FakeClock();
    class Slow extends Echo {
      override prepare(): Promise<void> {
        return new Promise(() => {});
      }
    }
    const app = new Application([["/", Slow]], { clock, handshakeTimeout: 1000 });
    const connecting = connect(app, "/");
    connecting.catch(() => {});
    await clock.advance(1100);
    const error = await assertRejects(() => connecting, HandshakeError);
    assertEquals(error.status, 503);
  });
});
