import { assert, assertEquals } from "@std/assert";
import { type AddressInfo, createServer } from "node:net";
import { describe, test } from "node:test";
import { sameBytes } from "./bytes.ts";
import { ChaosProxy, type Fate } from "./chaos_proxy.ts";
import { RawClient } from "./raw_client.ts";

/** So many that with any seed, some are cut before all is sent. */
const COUNT = 50;

/** Bytes whose values depend on their position, behind a request line. */
function request(path: string): Uint8Array {
  const body = Uint8Array.from({ length: 8000 }, (_, i) => i * 7 + (i >> 8));
  return new Uint8Array([...new TextEncoder().encode(`GET ${path} HTTP/1.1\r\n`), ...body]);
}

/** The paths of which not everything came back. */
const short: string[] = [];

/** Sends a request to an echo through the proxy. Returns what comes back, and how it ends. */
async function echo(port: number, path: string): Promise<[back: Uint8Array, wasReset: boolean]> {
  const client = await RawClient.connect({ port });
  client.write(request(path));
  client.end();
  const back = await client.readToEnd();
  await client.destroy();
  return [back, client.error !== undefined];
}

/** Runs all requests through a new proxy. */
async function run(target: number, name: string): Promise<Map<string, Fate>> {
  const proxy = await ChaosProxy.start(target, name);
  try {
    await Promise.all(Array.from({ length: COUNT }, async (_, index) => {
      const path = `/${index}`;
      const [back, wasReset] = await echo(proxy.port, path);
      const sent = request(path);
      const fate = proxy.fates.get(path);
      if (fate === "whole") assert(sameBytes(back, sent) && !wasReset, `${back.length} bytes`);
      else assert(sameBytes(back, sent.subarray(0, back.length)), `${fate}: other bytes`);
      if (back.length < sent.length) short.push(path);
    }));
    return proxy.fates;
  } finally {
    await proxy.stop();
  }
}

describe("the proxy that splits, delays and cuts", () => {
  test("keeps bytes in order, and cuts the same connections for the same seed", async () => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => socket.destroy());
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const [one, again] = [await run(port, "a"), await run(port, "a")];
      const inOrder = (fates: Map<string, Fate>) => [...fates].toSorted();
      assertEquals(inOrder(one), inOrder(again));
      assertEquals(one.size, COUNT);
      assert(short.length > 0);
    } finally {
      server.close();
    }
  });
});
