import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { listen as listenWithBun } from "../../src/transport/bun.ts";
import { listen as listenWithDeno } from "../../src/transport/deno.ts";
import { listen } from "../../src/transport/listen.ts";
import type { Listener, ListenerOptions } from "../../src/transport/transport.ts";
import { runtime, scriptCommand } from "../support/runtime.ts";
import { Child, spawnScript } from "../support/spawn.ts";
import { connectPeer, credentials, type Peer } from "./links.ts";
import { Pattern } from "./pattern.ts";
import { Recorder, Watched } from "./recorder.ts";

const SCRIPT = "tests/transport/scripts/echo.ts";
const command = scriptCommand(SCRIPT, runtime, "--allow-all");

/** Listens on 127.0.0.1 and records the connections. */
class Server extends Watched {
  readonly listener: Listener;
  readonly accepted: Recorder[] = [];
  readonly errors: Error[] = [];

  constructor(options: ListenerOptions = {}) {
    super();
    const onError = (error: Error) => {
      this.errors.push(error);
      this.changed();
    };
    this.listener = listen({ hostname: "127.0.0.1", onError, ...options }, (transport) => {
      this.accepted.push(new Recorder(transport));
      this.changed();
    });
  }

  async stop(...peers: readonly Peer[]): Promise<void> {
    this.listener.close();
    for (const peer of peers) peer.destroy();
    for (const recorder of this.accepted) {
      recorder.transport.destroy();
      await recorder.until(() => recorder.gone, "closed");
      recorder.check();
    }
  }
}

/** The error of a `listen` call that must throw or reject. */
async function failure(options: ListenerOptions): Promise<Error & { code?: unknown }> {
  const error = await assertRejects(async () => {
    const listener = listen(options, () => {});
    try {
      await listener.listening;
    } finally {
      listener.close();
    }
  });
  assertInstanceOf(error, Error);
  return error;
}

/** Sends `length` bytes to an echo server on `port`, and waits for them. */
async function echo(port: number, length: number): Promise<void> {
  const peer = await connectPeer({ port }, false);
  try {
    peer.write(new Pattern().take(length));
    await peer.until(() => peer.received === length || peer.ended || peer.gone, "the echo");
    assertEquals(peer.received, length);
    assert(peer.intact);
  } finally {
    peer.destroy();
  }
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "waterspout-"));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("listen", () => {
  test("binds a port that the system chooses; default: on all addresses", async () => {
    const listener = listen({}, () => {});
    await listener.listening;
    assertEquals(listener.address.transport, "tcp");
    assertEquals(listener.address.hostname, "0.0.0.0");
    assert(listener.address.port > 0);
    listener.close();
  });

  test("has its address at once for an IP address", () => {
    const listener = listen({ hostname: "127.0.0.1", port: 0 }, () => {});
    assertEquals(listener.address.hostname, "127.0.0.1");
    assert(listener.address.port > 0);
    listener.close();
  });

  test("has its address after the close", async () => {
    const listener = listen({ hostname: "127.0.0.1", port: 0 }, () => {});
    await listener.listening;
    listener.close();
    assert(listener.address.port > 0);
  });

  test("accepts a host name", async () => {
    const server = new Server({ hostname: "localhost" });
    await server.listener.listening;
    assert(server.listener.address.port > 0);
    await server.stop();
  });

  test("fails on a port in use; the first listener goes on", async () => {
    const server = new Server();
    await server.listener.listening;
    const { port } = server.listener.address;
    assertEquals((await failure({ hostname: "127.0.0.1", port })).code, "EADDRINUSE");
    const peer = await connectPeer({ port }, false);
    await server.until(() => server.accepted.length === 1, "a connection");
    await server.stop(peer);
  });

  test("fails on an address that is not this machine's", async () => {
    assertEquals((await failure({ hostname: "203.0.113.1" })).code, "EADDRNOTAVAIL");
  });

  test("fails on an invalid certificate", async () => {
    await failure({ hostname: "127.0.0.1", cert: "x", key: "y" });
  });

  test("stops accepting after close(), which may be called twice; connections go on", async () => {
    const server = new Server();
    await server.listener.listening;
    const { port } = server.listener.address;
    const peer = await connectPeer({ port }, false);
    await server.until(() => server.accepted.length === 1, "a connection");
    server.listener.close();
    server.listener.close();
    assertEquals(server.listener.address.port, port);
    await assertRejects(() => connectPeer({ port }, false));
    const [recorder] = server.accepted;
    peer.write(new Pattern().take(1000));
    await recorder?.until(() => recorder.received === 1000, "bytes after close");
    assertEquals(server.errors, []);
    await server.stop(peer);
  });

  test("shares a port with reusePort", async () => {
    // Deno needs a flag for this.
    const flags = runtime === "deno" ? ["run", "--unstable-net"] : [];
    const [path = "", ...rest] = command;
    const child = new Child([path, ...flags, ...rest.slice(flags.length / 2), "reuse"]);
    try {
      const [, port] = await child.waitFor(/^port (\d+)$/m);
      for (let i = 0; i < 10; i++) await echo(Number(port), 100);
    } finally {
      await child.stop();
    }
  });

  test("lets the process end once unref is called", async () => {
    const child = spawnScript(SCRIPT, ["unref"]);
    await child.waitFor(/^unref$/m);
    assertEquals(await child.exited, 0);
  });

  test("goes on after running out of file descriptors", async () => {
    // The shell lowers the hard limit too, because runtimes raise the soft limit when they start.
    const limited = ["sh", "-c", 'ulimit -n 70 && exec "$@"', "sh", ...command];
    const child = new Child(limited);
    const sockets: ReturnType<typeof connect>[] = [];
    try {
      const [, port] = await child.waitFor(/^port (\d+)$/m);
      for (let i = 0; i < 100; i++) {
        const socket = connect(Number(port), "127.0.0.1");
        socket.on("error", () => {});
        sockets.push(socket);
      }
      const settled = sockets.map((socket) =>
        new Promise((resolve) => socket.once("connect", resolve).once("close", resolve))
      );
      await Promise.all(settled);
      if (runtime === "deno") await child.waitFor(/^error EMFILE$/m);
      for (const socket of sockets) socket.destroy();
      // Until it has heard of that, it turns away who comes.
      const patience = Date.now() + 60_000;
      while (!await echo(Number(port), 100).then(() => true, () => false)) {
        assert(Date.now() < patience, "nobody is let in again");
      }
    } finally {
      for (const socket of sockets) socket.destroy();
      await child.stop();
    }
  });
});

describe("listen on a unix socket", () => {
  test("removes the file when closed", async () => {
    await inFolder(async (folder) => {
      const path = join(folder, "socket");
      const listener = listen({ path }, () => {});
      await listener.listening;
      assertEquals(listener.address, { transport: "unix", hostname: path, port: 0 });
      assert(existsSync(path));
      listener.close();
      listener.close();
      // Deno removes the file after the pending `accept` is cancelled.
      for (let i = 0; existsSync(path) && i < 6000; i++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assert(!existsSync(path));
    });
  });

  test("fails on a path in use, and does not remove the file", async () => {
    await inFolder(async (folder) => {
      const path = join(folder, "socket");
      const server = new Server({ path });
      await server.listener.listening;
      assertEquals((await failure({ path })).code, "EADDRINUSE");
      const peer = await connectPeer({ path }, false);
      await server.until(() => server.accepted.length === 1, "a connection");
      await server.stop(peer);
    });
  });

  test("does not remove a file that it did not make", async () => {
    await inFolder(async (folder) => {
      const path = join(folder, "file");
      writeFileSync(path, "precious");
      assertEquals((await failure({ path })).code, "EADDRINUSE");
      assert(existsSync(path));
    });
  });

  if (runtime === "deno") {
    test("refuses TLS where the runtime has none", async () => {
      const error = await failure({ path: "/nowhere", ...credentials });
      assertInstanceOf(error, TypeError);
      assertStringIncludes(error.message, "Deno has no TLS on unix sockets");
    });
  }
});

describe("listen with TLS", () => {
  test("reports handshakes that fail, and goes on", async () => {
    const server = new Server(credentials);
    await server.listener.listening;
    const { port } = server.listener.address;
    for (const bytes of ["GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x00\x05abcde"]) {
      const failed = server.errors.length + 1;
      const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
      socket.on("error", () => {}).resume();
      await server.until(() => server.errors.length === failed, `the failure after ${bytes}`);
      socket.destroy();
    }
    const peer = await connectPeer({ port }, true);
    await server.until(() => server.accepted.length === 1, "a connection");
    assertEquals(server.errors.length, 2);
    await server.stop(peer);
  });

  test("accepts a FIN without close_notify as the end", async () => {
    const server = new Server(credentials);
    await server.listener.listening;
    const raw = connect(server.listener.address.port, "127.0.0.1");
    raw.on("error", () => {});
    await once(raw, "connect");
    const socket = connectTls({ socket: raw, ca: credentials.cert, servername: "localhost" });
    socket.on("error", () => {});
    await server.until(() => server.accepted.length === 1, "a connection");
    const [recorder] = server.accepted;
    // Reads the rest of the handshake too: closing with unread bytes would reset the connection.
    recorder?.act((transport) => transport.write(new Uint8Array(1), false));
    await once(socket, "data");
    raw.destroy();
    await recorder?.until(() => recorder.ended || recorder.gone, "end");
    assertEquals(recorder?.error, undefined);
    assertEquals(recorder?.ended, true);
    await server.stop();
  });

  test("accepts a connection only after its handshake", async () => {
    const server = new Server(credentials);
    await server.listener.listening;
    const { port } = server.listener.address;
    const silent = await connectPeer({ port }, false);
    const peer = await connectPeer({ port }, true);
    await server.until(() => server.accepted.length > 0, "a connection");
    assertEquals(server.accepted.length, 1);
    await server.stop(silent, peer);
  });
});

describe("an adapter on another runtime", () => {
  const adapters = [
    { name: "deno", call: "Deno.listen", listen: listenWithDeno },
    { name: "bun", call: "Bun.listen", listen: listenWithBun },
  ].filter(({ name }) => name !== runtime);
  for (const { name, call, listen } of adapters) {
    test(`throws a TypeError: ${name}`, () => {
      const error = assertThrows(() => listen({}, () => {}));
      assertInstanceOf(error, TypeError);
      assertStringIncludes(error.message, `Cannot listen with ${call}`);
    });
  }
});

if (runtime === "deno") {
  describe("reusePort without --unstable-net", () => {
    test("is a TypeError, instead of the end of the process", async () => {
      const child = new Child([...command, "reuse"]);
      assertEquals(await child.exited, 1);
      assertStringIncludes(child.output, "Cannot listen with reusePort");
    });
  });
}
