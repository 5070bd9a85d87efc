import { assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { Application, type ListenOptions } from "../../mod.ts";
import { listen } from "../../src/transport/listen.ts";
import type { ListenerOptions } from "../../src/transport/transport.ts";
import { show } from "../../src/validation.ts";
import { freePort } from "../support/free_port.ts";
import { credentials } from "../transport/links.ts";

const { cert, key } = credentials;

/** Returns whether something listens on a port. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    }).once("error", () => resolve(false));
  });
}

/** The value of an unset environment variable, and other wrong certificates or keys. */
const tlsRows: readonly (readonly [options: object, message: string])[] = [
  [{ cert, key: undefined }, "key must be a string in PEM, got undefined"],
  [{ cert: undefined, key }, "cert must be a string in PEM, got undefined"],
  [{ cert: undefined, key: undefined }, "cert must be a string in PEM, got undefined"],
  [{ cert: undefined }, "cert must be a string in PEM, got undefined"],
  [{ key: undefined }, "cert must be a string in PEM, got undefined"],
  [{ cert }, "key must be a string in PEM, got undefined"],
  [{ key }, "cert must be a string in PEM, got undefined"],
  [{ cert: "", key }, 'cert must be a string in PEM, got ""'],
  [{ cert, key: "" }, 'key must be a string in PEM, got ""'],
  [{ cert: "", key: "" }, 'cert must be a string in PEM, got ""'],
  [{ cert: " \n", key }, "cert must be a string in PEM"],
  [{ cert: null, key: null }, "cert must be a string in PEM, got null"],
  [{ cert, key: false }, "key must be a string in PEM, got false"],
  [{ cert: new Uint8Array(9), key }, "cert must be a string in PEM, got an object"],
  [{ cert: [cert], key: [key] }, "cert must be a string in PEM, got an array"],
  [{ cert: "x", key: "y" }, "cert or key is not usable: "],
  [{ cert: key, key: cert }, "cert or key is not usable: "],
  [{ cert, key: key.replaceAll(/[A-Za-z0-9+/]{64}\n/g, "") }, "cert or key is not usable: "],
];

describe("TLS options that cannot be used", () => {
  test("are a TypeError before anything listens, and never lead to plain TCP", async () => {
    const port = await freePort();
    for (const [options, message] of tlsRows) {
      const row = { hostname: "127.0.0.1", port, ...options };
      const what = JSON.stringify(options);
      for (
        const call of [
          () => new Application([]).listen(row as ListenOptions),
          () => listen(row as ListenerOptions, () => {}),
        ]
      ) {
        const error = assertThrows(call, TypeError);
        assertStringIncludes(error.message, `Cannot listen with TLS: ${message}`, what);
      }
      assertEquals(await answers(port), false, what);
    }
  });

  test("are refused on a unix socket, too", () => {
    for (const options of [{ cert: undefined }, { cert, key: undefined }, { cert: "", key: "" }]) {
      const row = { path: "/nowhere/socket", ...options } as ListenOptions;
      assertThrows(() => new Application([]).listen(row), TypeError, "Cannot listen with TLS: ");
    }
  });

  test("do not hide other errors", async () => {
    const server = new Application([]).listen({ hostname: "127.0.0.1", port: 0 });
    await server.listening;
    const { port } = server.addr;
    const second = () =>
      new Application([], { log() {} })
        .listen({ hostname: "127.0.0.1", port, cert, key });
    const error = assertThrows(second);
    assertEquals((error as { code?: unknown }).code, "EADDRINUSE");
    await server.shutdown();
  });
});

/** Wrong arguments. */
const rows: readonly (readonly [argument: unknown, message: string])[] = [
  [undefined, "Cannot listen: expected a port or options, got undefined"],
  [null, "Cannot listen: expected a port or options, got null"],
  [true, "Cannot listen: expected a port or options, got true"],
  [() => {}, "Cannot listen: expected a port or options, got a function"],
  [[8888], "Cannot use listen options: must be an object, got an array"],
  ["", 'Cannot listen: port must be an integer from 0 to 65535, got ""'],
  ["http", 'port must be an integer from 0 to 65535, got "http"'],
  ["0x1F", "port must be"],
  ["8888.0", "port must be"],
  [" 80", "port must be"],
  ["-1", "port must be"],
  [{ port: "x" }, 'Cannot listen: port must be an integer from 0 to 65535, got "x"'],
  [{ port: null }, "port must be an integer from 0 to 65535, got null"],
  [{ host: "127.0.0.1" }, 'Cannot use listen option "host": unknown; did you mean hostname?'],
  [{ host: undefined }, 'listen option "host": unknown'],
  [{ hostName: "127.0.0.1" }, "did you mean hostname?"],
  [{ unix: "/tmp/x" }, "did you mean path?"],
  [{ tls: { cert, key } }, "did you mean cert and key?"],
  [{ maxPayload: 5 }, 'listen option "maxPayload": unknown'],
  [{ maxMessageSize: 5 }, '"maxMessageSize": unknown; it belongs to the settings of Application'],
  [{ onlisten() {} }, "did you mean onListen?"],
  [{ toString() {} }, 'listen option "toString": unknown'],
  [{ hostname: "" }, 'hostname must be a string that is not empty, got ""'],
  [{ hostname: 127 }, "hostname must be a string that is not empty, got 127"],
  [{ path: "" }, 'path must be a string that is not empty, got ""'],
  [{ path: "/websocket", port: 0 }, 'a unix socket, got "/websocket") and port exclude each other'],
  [{ reusePort: "yes" }, 'reusePort must be a boolean, got "yes"'],
  [{ signal: {} }, "signal must be an AbortSignal, got an object"],
  [{ onListen: 5 }, "onListen must be a function, got 5"],
  [{ onError: {} }, "onError must be a function, got an object"],
];

describe("listen", () => {
  for (const [argument, message] of rows) {
    test(`refuses ${show(argument)}: ${message}`, () => {
      const app = new Application([]);
      const error = assertThrows(() => app.listen(argument as ListenOptions), TypeError);
      assertStringIncludes(error.message, message);
    });
  }

  test("refuses a port that does not exist", () => {
    for (const port of [-1, 1.5, 65536, NaN, Infinity, "65536", "99999"]) {
      for (const argument of [port, { port }]) {
        const error = assertThrows(() => new Application([]).listen(argument), RangeError);
        assertStringIncludes(error.message, "port must be an integer from 0 to 65535, got ");
      }
    }
  });

  test("accepts a port as a string, as in an environment variable", async () => {
    for (const argument of ["0", { port: "0", hostname: "127.0.0.1" }]) {
      const server = new Application([]).listen(argument);
      await server.listening;
      assertEquals(server.addr.port > 0, true);
      await server.shutdown();
    }
    const port = await freePort();
    const server = new Application([]).listen({ port: String(port), hostname: "127.0.0.1" });
    await server.listening;
    assertEquals(server.addr.port, port);
    await server.shutdown();
  });

  test("uses the defaults for undefined options, except for TLS", async () => {
    const options = { port: undefined, hostname: undefined, path: undefined, signal: undefined };
    const server = new Application([]).listen(options as unknown as ListenOptions);
    await server.listening;
    assertEquals(server.addr.hostname, "0.0.0.0");
    await server.shutdown();
  });

  test("refuses a second argument, which Tornado and Node have", () => {
    const app = new Application([]) as unknown as {
      listen(port: number, address: string): unknown;
    };
    const error = assertThrows(() => app.listen(0, "127.0.0.1"), TypeError);
    assertStringIncludes(error.message, "use { port, hostname, onListen }");
  });

  test("prints nothing", async () => {
    const { log } = console;
    const lines: unknown[] = [];
    console.log = (...parts: unknown[]) => void lines.push(parts);
    try {
      const server = new Application([]).listen({ hostname: "127.0.0.1", port: 0 });
      await server.listening;
      await server.shutdown();
    } finally {
      console.log = log;
    }
    assertEquals(lines, []);
  });
});

describe("shutdown", () => {
  test("refuses unknown options and wrong types, and goes on serving", async () => {
    const server = new Application([]).listen({ hostname: "127.0.0.1", port: 0 });
    await server.listening;
    const rows: readonly (readonly [options: unknown, message: string])[] = [
      [5000, "Cannot use shutdown options: must be an object, got 5000"],
      [{ timeOut: 5 }, "did you mean timeout?"],
      [
        { timeout: "5" },
        'Cannot shut down: timeout must be an integer from 0 (off) to 2147483647, got "5"',
      ],
      [{ reason: 5 }, "Cannot shut down: reason must be a string, got 5"],
      [{ code: "1001" }, 'Cannot shut down: code must be a close code, got "1001"'],
    ];
    for (const [options, message] of rows) {
      const error = await server.shutdown(options as object).catch((error) => error);
      assertInstanceOf(error, TypeError);
      assertStringIncludes(error.message, message);
    }
    assertEquals(server.stopping, false);
    await server.shutdown();
  });
});
