/** The cases of Tornado's `websocket_test` about one end alone, or about time. */
import { assertEquals, assertRejects } from "@std/assert";
import { describe, test } from "node:test";
import { HandshakeError, websocketConnect } from "../../src/client/mod.ts";
import { open } from "../client/fake_server.ts";
import { Recording } from "../support/recording.ts";
import { Rig, settle } from "../support/rig.ts";

const settings = { pingInterval: 10_000, pingTimeout: 10_000 };

describe("Tornado's websocket_test", () => {
  test("http_request: 426 with the versions, where Tornado has 400", async () => {
    const rig = new Rig([["/echo", Recording, []]]);
    const { raw } = await rig.send("GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assertEquals(raw.split("\r\n")[0], "HTTP/1.1 426 Upgrade Required");
    assertEquals(/^sec-websocket-version: (.*)\r$/mi.exec(raw)?.[1], "13, 8, 7");
  });

  test("websocket_network_fail: an error at once, not at the timeout", async () => {
    await assertRejects(
      () => websocketConnect("ws://127.0.0.1:1/", { handshakeTimeout: 3_600_000 }),
      HandshakeError,
      "Cannot connect to ws://127.0.0.1:1/: ",
    );
  });

  test("server_ping_timeout: the server drops a client that answers no more", async () => {
    const events: string[] = [];
    const rig = new Rig([["/", Recording, events]], settings);
    const client = await rig.open("rfc6455");
    for (let answered = 0; answered < 5; answered++) {
      await rig.clock.advance(10_050);
      assertEquals(client.take(), ["ping"]);
      client.pong(new Uint8Array(0));
      await settle();
    }
    await rig.clock.advance(10_050);
    assertEquals(client.take(), ["ping"]);
    // Tornado sends a close frame with 1000; nobody is there to read it.
    await rig.clock.advance(10_050);
    assertEquals(client.take(), ["reset"]);
    assertEquals([events.at(-1), rig.clock.pending], ["close", 0]);
  });

  test("client_ping_timeout: the client drops a server that answers no more", async () => {
    const { client, server, clock } = await open(settings);
    for (let answered = 0; answered < 5; answered++) {
      await clock.advance(10_050);
      assertEquals(server.take(), ["ping"]);
      server.send((protocol, output) => protocol.writePong(output, new Uint8Array(0)));
      await settle();
    }
    await clock.advance(10_050);
    assertEquals(server.take(), ["ping"]);
    assertEquals(client.ended, undefined);
    await clock.advance(10_050);
    // Tornado sends a close frame with 1000; nobody is there to read it.
    assertEquals(server.take(), ["reset"]);
    await client.closed;
    await clock.advance(20_000);
    assertEquals([client.ended?.by, clock.pending], ["timeout", 0]);
  });

  test("ping_sleep_time: the next ping is due an interval after the last was sent", async () => {
    const rig = new Rig([["/", Recording, []]], settings);
    const client = await rig.open("rfc6455");
    // An action may be a tick late. The next action counts from that time.
    await rig.clock.advance(100);
    let since = 0;
    for (const delay of [0, 9000, 4000, 9800]) {
      await rig.clock.advance(9850 - since);
      assertEquals(client.take(), []);
      await rig.clock.advance(150);
      assertEquals(client.take(), ["ping"], `${since} ms after the last pong`);
      await rig.clock.advance(delay);
      client.pong(new Uint8Array(0));
      await settle();
      since = delay;
    }
  });
});
