import { assertEquals, assertRejects } from "@std/assert";
import { readFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { describe, test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { RawClient } from "./raw_client.ts";
import { root } from "./runtime.ts";

/** Runs `body` with a client and the server's end of its connection, then closes everything. */
async function connected(body: (client: RawClient, peer: Socket) => Promise<void>): Promise<void> {
  const accepted = Promise.withResolvers<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, accepted.resolve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = address && typeof address === "object" ? address.port : 0;
  const client = await RawClient.connect({ port });
  const peer = await accepted.promise;
  peer.on("error", () => {});
  try {
    await body(client, peer);
  } finally {
    await client.destroy();
    peer.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

const bytes = (...values: number[]) => Uint8Array.from(values);

describe("the raw client", () => {
  test("reads as many bytes as asked for, however they come", () =>
    connected(async (client, peer) => {
      peer.write(bytes(1, 2, 3));
      assertEquals(await client.read(2), bytes(1, 2));
      const late = client.read(3);
      peer.write(bytes(4, 5, 6));
      assertEquals(await late, bytes(3, 4, 5));
      assertEquals(client.unread, bytes(6));
    }));

  test("reads through a delimiter that comes in two pieces", () =>
    connected(async (client, peer) => {
      const head = client.readThrough("\r\n\r\n");
      peer.write("HTTP\r\n\r");
      await new Promise((resolve) => setTimeout(resolve, 20));
      peer.write("\nrest");
      assertEquals(new TextDecoder().decode(await head), "HTTP\r\n\r\n");
      assertEquals(await client.readThrough("t".charCodeAt(0)), new TextEncoder().encode("rest"));
    }));

  test("reads to the end, and can still be heard then", () =>
    connected(async (client, peer) => {
      peer.end(bytes(1, 2));
      assertEquals(await client.readToEnd(), bytes(1, 2));
      assertEquals([client.ended, client.error], [true, undefined]);
      const heard = new Promise((resolve) => peer.once("data", resolve));
      client.write(bytes(3));
      assertEquals(new Uint8Array(await heard as Uint8Array), bytes(3));
    }));

  test("rejects with what there is when the rest does not come", () =>
    connected(async (client, peer) => {
      peer.write(bytes(0xab));
      await assertRejects(() => client.read(2, 50), Error, "nothing for 50 ms; unread: 1 bytes ab");
      peer.end();
      await assertRejects(() => client.read(2), Error, "the peer ended the connection");
    }));

  test("resets the connection", () =>
    connected(async (client, peer) => {
      const error = new Promise<NodeJS.ErrnoException>((resolve) => peer.once("error", resolve));
      peer.resume();
      client.reset();
      assertEquals((await error).code, "ECONNRESET");
    }));

  test("does not read while it is paused", () =>
    connected(async (client, peer) => {
      client.paused = true;
      peer.write(bytes(1));
      await assertRejects(() => client.read(1, 100), Error, "nothing for 100 ms");
      client.paused = false;
      assertEquals(await client.read(1), bytes(1));
    }));

  test("speaks TLS", async () => {
    const [cert, key] = ["cert", "key"].map((name) =>
      readFileSync(`${root}/tests/support/tls/${name}.pem`, "utf8")
    );
    const server = createTlsServer({ cert, key }, (peer) => peer.end(bytes(1, 2)));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = address && typeof address === "object" ? address.port : 0;
    const client = await RawClient.connect({ port, tls: true });
    try {
      assertEquals(await client.readToEnd(), bytes(1, 2));
    } finally {
      await client.destroy();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
