import { assert, assertEquals, assertThrows } from "@std/assert";
import type { IncomingMessage } from "node:http";
import { describe, test } from "node:test";
import { Duplex } from "node:stream";
import { Application } from "../../mod.ts";
import { websocketConnect } from "../../src/client/mod.ts";
import type { UpgradeRequest } from "../../src/server/upgrade_request.ts";
import { Echo, HANDSHAKE, Host } from "./support.ts";

/** Hands every upgrade to a function. */
async function dispatch(
  body: (host: Host) => Promise<void>,
  listener: (host: Host, request: IncomingMessage, socket: Duplex, head: Uint8Array) => void,
): Promise<void> {
  await using host = new Host();
  host.server.on("upgrade", (request, socket, head) => listener(host, request, socket, head));
  await host.listen();
  await body(host);
}

/** A request like those of an HTTP parser. */
function request(change: Partial<UpgradeRequest> = {}): UpgradeRequest {
  const rawHeaders = ["Host: localhost", ...HANDSHAKE].flatMap((field) => field.split(": "));
  return { method: "GET", url: "/echo", httpVersion: "1.1", rawHeaders, ...change };
}

/** A stream that is not a socket, and the bytes written to it. */
class Stream extends Duplex {
  written = "";
  override _read(): void {}
  override _write(chunk: Uint8Array, _: string, done: () => void): void {
    this.written += new TextDecoder("latin1").decode(chunk);
    done();
  }
}

/** Waits until bytes are written or the stream is closed. */
async function answer(stream: Stream): Promise<string> {
  while (!stream.written.includes("\r\n\r\n") && !stream.destroyed) {
    await new Promise((done) => setTimeout(done, 1));
  }
  return stream.written.split("\r\n")[0] ?? "";
}

describe("handleUpgrade()", () => {
  test("serves what a route matches, and leaves the rest untouched", async () => {
    const handled: boolean[] = [];
    await dispatch(async (host) => {
      const client = await websocketConnect(host.url("/echo"));
      client.writeMessage("Hello");
      assertEquals(await client.readMessage(), "Hello");
      client.close();
      await client.closed;
      assert((await host.ask("/other", ...HANDSHAKE)).startsWith("HTTP/1.1 418 "));
      const h2c = await host.ask("/echo", "Upgrade: h2c", "Connection: Upgrade");
      assert(h2c.startsWith("HTTP/1.1 418 "));
      assertEquals(handled, [true, false, false]);
    }, (host, request, socket, head) => {
      const isOurs = host.app.handleUpgrade(request, socket, head);
      handled.push(isOurs);
      if (!isOurs) socket.end("HTTP/1.1 418 I'm a teapot\r\n\r\n");
    });
  });

  test("may be called later, and reads what came meanwhile", async () => {
    await dispatch(async (host) => {
      const client = await host.connect();
      client.write(["GET /echo HTTP/1.1", "Host: a", ...HANDSHAKE, "", ""].join("\r\n"));
      client.write(Uint8Array.of(0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69));
      const answer = new TextDecoder().decode(await client.readThrough("\r\n\r\n"));
      assert(answer.startsWith("HTTP/1.1 101 "), answer);
      assertEquals(await client.read(4), Uint8Array.of(0x81, 2, 0x68, 0x69));
    }, (host, request, socket, head) => {
      setTimeout(() => host.app.handleUpgrade(request, socket, head), 20);
    });
  });

  test("leaves nothing open of a socket that is gone", async () => {
    for (const how of ["destroyed", "reset", "ended"]) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const asked = Promise.withResolvers<void>();
      await dispatch(async (host) => {
        const client = await host.connect();
        client.write(["GET /echo HTTP/1.1", "Host: a", ...HANDSHAKE, "", ""].join("\r\n"));
        await asked.promise;
        if (how === "reset") client.reset();
        if (how === "ended") client.end();
        assertEquals(await promise, true);
        await client.readToEnd();
        while (host.app.stats().sockets > 0) await new Promise((done) => setTimeout(done, 1));
        assertEquals(host.app.stats().connections.total, 0);
        assertEquals(host.app.stats().refused.gone, 1);
      }, (host, request, socket, head) => {
        const handle = () => resolve(host.app.handleUpgrade(request, socket, head));
        socket.on("error", () => {});
        if (how === "destroyed") {
          socket.destroy();
          handle();
        } else {
          socket.resume();
          socket.once(how === "reset" ? "close" : "end", handle);
        }
        asked.resolve();
      });
    }
  });

  test("takes any stream, without addresses", async () => {
    const app = new Application([["/echo", Echo]]);
    const stream = new Stream();
    assertEquals(app.handleUpgrade(request(), stream, new Uint8Array()), true);
    assertEquals(await answer(stream), "HTTP/1.1 101 Switching Protocols");
    stream.push(Uint8Array.of(0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69));
    while (!stream.written.endsWith("hi")) await new Promise((done) => setTimeout(done, 1));
    stream.push(null);
    await app.shutdown({ timeout: 1000 });
    assertEquals(app.stats().sockets, 0);
  });

  const IMPOSSIBLE = ["a\r\nX-Injected: 1", "a\nb", "a\0b", "\u010d\u010aX-Injected: 1"];

  test("refuses characters that no request has, and makes no field of them", async () => {
    for (const value of IMPOSSIBLE) {
      const changes: Partial<UpgradeRequest>[] = [
        { rawHeaders: [...request().rawHeaders, "X-Text", value] },
        { rawHeaders: [...request().rawHeaders, value, "1"] },
        { url: `/echo?${value}` },
        { method: `GET${value}` },
      ];
      for (const change of changes) {
        const app = new Application([["/echo", Echo]]);
        const stream = new Stream();
        assertEquals(app.handleUpgrade(request(change), stream, new Uint8Array()), true);
        assertEquals(await answer(stream), "HTTP/1.1 400 Bad Request");
        stream.push(null);
        await app.shutdown({ timeout: 1000 });
      }
    }
  });

  const WRONG: readonly [name: string, args: readonly unknown[], message: string][] = [
    ["no request", [undefined, new Stream(), new Uint8Array()], "request must be an object"],
    [
      "a Web Request",
      [new Request("http://localhost/"), new Stream(), new Uint8Array()],
      "request must have method, url and rawHeaders",
    ],
    [
      "half a field",
      [request({ rawHeaders: ["Host"] }), new Stream(), new Uint8Array()],
      "request must have method, url and rawHeaders",
    ],
    ["no socket", [request(), {}, new Uint8Array()], "socket must be an object with on(), write()"],
    ["no head", [request(), new Stream(), undefined], "head must be a Uint8Array, got undefined"],
    ["text as head", [request(), new Stream(), "x"], "head must be a Uint8Array"],
  ];
  for (const [name, args, message] of WRONG) {
    test(`throws for ${name}`, () => {
      const app = new Application([["/echo", Echo]]);
      const call = () => Reflect.apply(app.handleUpgrade, app, args);
      assertThrows(call, TypeError, `Cannot handle the upgrade: ${message}`);
      assertEquals(app.stats().sockets, 0);
    });
  }
});
