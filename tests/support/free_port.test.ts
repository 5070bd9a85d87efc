import { assert, assertEquals } from "@std/assert";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { freePort } from "./free_port.ts";

test("free ports are different ones, and nothing listens on them", async () => {
  const ports = await Promise.all(Array.from({ length: 5 }, () => freePort()));
  assertEquals(new Set(ports).size, 5);
  for (const port of ports) {
    assert(port > 1024 && port < 32_768, `${port}`);
    const server = createServer().listen(port, "127.0.0.1");
    await once(server, "listening");
    server.close();
  }
});
