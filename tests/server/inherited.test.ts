import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { linkSync, mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Application } from "../../mod.ts";
import { websocketConnect } from "../../src/client/mod.ts";
import { listen as listenWithBun } from "../../src/transport/bun_listen.ts";
import { listen as listenWithDeno } from "../../src/transport/deno_listen.ts";
import { runtime, runtimes } from "../support/runtime.ts";
import { spawnScript } from "../support/spawn.ts";

const SCRIPT = "tests/server/scripts/inherited.ts";

/** Listens and gives the socket away, as systemd does: the descriptor is closed here. */
async function withSocket(
  where: { port: number; host: string } | { path: string },
  body: (fd: number, server: Server) => Promise<void>,
): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(where, resolve));
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
  try {
    await body(fd, server);
  } finally {
    server.close();
  }
}

async function echo(url: string, options: object, expected: string): Promise<void> {
  const connection = await websocketConnect(url, options);
  connection.writeMessage("Hello");
  assertEquals(await connection.readMessage(), expected);
  connection.close();
  await connection.closed;
}

// Only Node tells the descriptor of a server. A run without Node has this file on another runtime.
for (const on of runtime === "node" ? runtimes : []) {
  describe(`listen({ fd }) on ${on}`, () => {
    for (const tls of [false, true]) {
      test(`serves a TCP socket that listens already${tls ? ", with TLS" : ""}`, async () => {
        await withSocket({ port: 0, host: "127.0.0.1" }, async (fd, server) => {
          const { port } = server.address() as AddressInfo;
          const child = spawnScript(SCRIPT, tls ? ["tls"] : [], { runtime: on, descriptor: fd });
          try {
            await child.waitFor(new RegExp(`^on tcp 127\\.0\\.0\\.1 ${port}\\.$`, "m"));
            server.close();
            const options = tls ? { tls: { insecure: true } } : {};
            const url = `ws${tls ? "s" : ""}://127.0.0.1:${port}/`;
            await echo(url, options, "Hello tcp tcp");
          } finally {
            assertEquals(await child.stop(), 0, child.output);
          }
        });
      });
    }

    test("serves a unix socket that listens already", async () => {
      const folder = mkdtempSync(join(tmpdir(), "waterspout-"));
      const path = join(folder, "socket");
      await withSocket({ path }, async (fd, server) => {
        const child = spawnScript(SCRIPT, [], { runtime: on, descriptor: fd });
        try {
          await child.waitFor(/^on unix {2}0\.$/m);
          // The close below removes the first name.
          linkSync(path, `${path}2`);
          server.close();
          await echo("ws://localhost/", { path: `${path}2` }, "Hello unix unix");
        } finally {
          assertEquals(await child.stop(), 0, child.output);
        }
      });
      rmSync(folder, { recursive: true });
    });
  });
}

describe("listen({ fd })", () => {
  test("rejects a descriptor that is no socket", async () => {
    const server = new Application([], { log: () => {} }).listen({ fd: 12345 });
    await assertRejects(() => server.listening);
    await server.shutdown();
  });

  test("excludes an address, and takes no other number", () => {
    const app = new Application([]);
    for (
      const [name, value] of Object.entries({
        port: 0,
        hostname: "::",
        path: "/x",
        reusePort: true,
      })
    ) {
      assertThrows(
        () => app.listen({ fd: 3, [name]: value }),
        TypeError,
        `Cannot listen: fd and ${name} exclude each other`,
      );
    }
    for (const fd of [-1, 1.5, NaN, 2 ** 31]) {
      assertThrows(() => app.listen({ fd }), RangeError, "fd must be a non-negative integer");
    }
    const text = { fd: "3" } as never;
    assertThrows(() => app.listen(text), TypeError, "fd must be a non-negative integer");
  });

  test("is not for the listeners of Deno and Bun themselves", () => {
    const globals = globalThis as Record<string, unknown>;
    const listeners = { Deno: listenWithDeno, Bun: listenWithBun };
    for (const [name, listen] of Object.entries(listeners)) {
      // The globals of these runtimes cannot be replaced.
      if (runtime !== "node") break;
      globals[name] = {};
      try {
        const error = assertThrows(() => listen({ fd: 3 }, () => {}), TypeError);
        assert(error.message.includes("use Application.listen"), error.message);
      } finally {
        delete globals[name];
      }
    }
  });
});
