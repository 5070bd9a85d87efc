import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { once } from "node:events";
import { describe, test } from "node:test";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { type Certificate, selfSigned } from "../../examples/support/certificate.ts";
import { Application, type ListenOptions, WebSocketHandler } from "../../mod.ts";
import { websocketConnect } from "../../src/client/mod.ts";
import { listen as listenWithBun } from "../../src/transport/bun.ts";
import { listen as listenWithDeno } from "../../src/transport/deno.ts";
import { listen } from "../../src/transport/listen.ts";
import type { ListenerOptions } from "../../src/transport/transport.ts";
import { runtime } from "../support/runtime.ts";
import { credentials } from "./links.ts";

const { cert, key } = credentials;

class Who extends WebSocketHandler {
  override open(): void {
    const { peerCertificate } = this.connection;
    this.writeMessage({ certificate: peerCertificate ?? null });
  }
  onMessage(message: string | Uint8Array): void {
    this.writeMessage(message);
  }
}

/** Serves {@linkcode Who} with TLS. Failed handshakes are collected. */
function serve(options: ListenOptions) {
  const errors: string[] = [];
  const app = new Application([["/", Who]], { log() {} });
  const onError = (error: Error) => void errors.push(error.message);
  const server = app.listen({ hostname: "127.0.0.1", port: 0, cert, key, onError, ...options });
  return { app, server, errors };
}

/** Connects, and returns the name in the server's certificate. */
async function nameOf(port: number, servername: string, more: ConnectionOptions = {}) {
  const options = { host: "127.0.0.1", port, servername, rejectUnauthorized: false, ...more };
  const socket: TLSSocket = connect(options);
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN;
}

const [a, b, wild] = await Promise.all(["a.example", "b.example", "wild.example"].map(selfSigned));

function itemOf(hostname: string, certificate: Certificate | undefined) {
  return { hostname, cert: certificate?.cert ?? "", key: certificate?.key ?? "" };
}

describe("certificates by host name", () => {
  test("are chosen by the name that the client tells (SNI); others get the default", async () => {
    const { server } = serve({
      certificates: [itemOf("a.example", a), itemOf("*.Wild.example", wild)],
    });
    await server.listening;
    const { port } = server.addr;
    const rows = [
      ["a.example", "a.example"],
      ["A.EXAMPLE", "a.example"],
      ["x.wild.example", "wild.example"],
      ["wild.example", "localhost"],
      ["x.y.wild.example", "localhost"],
      ["b.example", "localhost"],
      ["localhost", "localhost"],
      ["", "localhost"],
    ] as const;
    for (const [asked, shown] of rows) assertEquals(await nameOf(port, asked), shown, asked);
    const url = `wss://127.0.0.1:${port}/`;
    const client = await websocketConnect(url, {
      tls: { ca: a?.cert ?? "", serverName: "a.example" },
    });
    assertEquals(await client.readMessage(), '{"certificate":null}');
    client.writeMessage("x".repeat(1_000_000));
    assertEquals((await client.readMessage())?.length, 1_000_000);
    client.close(1000);
    await client.closed;
    await server.shutdown();
  });

  test("can be replaced and added while the server listens", async () => {
    const { server } = serve({ certificates: [itemOf("a.example", a)] });
    await server.listening;
    const { port } = server.addr;
    server.setCertificate(itemOf("A.example", b));
    server.setCertificate(itemOf("new.example", wild));
    assertEquals(await nameOf(port, "a.example"), "b.example");
    assertEquals(await nameOf(port, "new.example"), "wild.example");
    assertEquals(await nameOf(port, "other.example"), "localhost");
    await server.shutdown();
  });
});

describe("setCertificate", () => {
  test("gives new connections the new certificate, and keeps the open ones", async () => {
    const { server } = serve({ renewable: true });
    await server.listening;
    const { port } = server.addr;
    const url = `wss://127.0.0.1:${port}/`;
    const open = await websocketConnect(url, { tls: { insecure: true } });
    await open.readMessage();
    assertEquals(await nameOf(port, "a.example"), "localhost");
    for (const certificate of [a, b]) {
      server.setCertificate({ cert: certificate?.cert ?? "", key: certificate?.key ?? "" });
      const name = certificate === a ? "a.example" : "b.example";
      assertEquals(await nameOf(port, "c.example"), name);
      assertEquals(await nameOf(port, ""), name);
      open.writeMessage(name);
      assertEquals(await open.readMessage(), name);
    }
    open.close(1000);
    await open.closed;
    await server.shutdown();
  });

  test("changes nothing if the certificate is wrong", async () => {
    const { server } = serve({ certificates: [itemOf("a.example", a)] });
    await server.listening;
    const rows: readonly (readonly [certificate: unknown, message: string])[] = [
      [undefined, "Cannot use certificate options: must be an object, got undefined"],
      [{}, "Cannot set the certificate: cert must be a string in PEM, got undefined"],
      [{ cert }, "Cannot set the certificate: key must be a string in PEM, got undefined"],
      [{ cert, key: "" }, 'Cannot set the certificate: key must be a string in PEM, got ""'],
      [{ cert, key, ca: cert }, 'certificate option "ca": unknown'],
      [{ cert, key, hostname: undefined }, "hostname must be a host name such as"],
      [{ cert, key, hostname: "a b" }, 'hostname must be a host name such as "a.example"'],
      [{ cert: "x", key: "y" }, "Cannot set the certificate: cert or key is not usable: "],
      [{ cert: b?.cert, key: a?.key }, "cert or key is not usable: the key is not that of the"],
      [
        { ...itemOf("a.example", b), key: a?.key },
        "Cannot set the certificate: cert or key of a.example is not usable: ",
      ],
    ];
    for (const [certificate, message] of rows) {
      const error = assertThrows(() => server.setCertificate(certificate as never), TypeError);
      assertStringIncludes(error.message, message);
    }
    assertEquals(await nameOf(server.addr.port, "a.example"), "a.example");
    assertEquals(await nameOf(server.addr.port, "b.example"), "localhost");
    await server.shutdown();
  });

  test("is a TypeError without TLS, and for a host name without the option certificates", async () => {
    const app = new Application([]);
    const plain = app.listen({ hostname: "127.0.0.1" });
    assertEquals(
      assertThrows(() => plain.setCertificate({ cert, key }), TypeError).message,
      "Cannot set the certificate: the listener does not use TLS",
    );
    const { server } = serve({ renewable: true });
    assertEquals(
      assertThrows(() => server.setCertificate(itemOf("a.example", a)), TypeError).message,
      "Cannot set the certificate of a.example: listen without the option certificates",
    );
    await Promise.all([plain.shutdown(), server.shutdown()]);
  });

  const api = { deno: "Deno.listenTls", bun: "Bun.listen", node: undefined }[runtime];
  test(`needs the option renewable where the runtime's own listener cannot: ${api}`, async () => {
    const { server } = serve({});
    await server.listening;
    const renew = () => server.setCertificate({ cert: a?.cert ?? "", key: a?.key ?? "" });
    if (api === undefined) renew();
    else {
      assertEquals(
        assertThrows(renew, TypeError).message,
        `Cannot set the certificate: ${api} cannot replace one; listen with the option renewable`,
      );
    }
    const shown = api === undefined ? "a.example" : "localhost";
    assertEquals(await nameOf(server.addr.port, ""), shown);
    await server.shutdown();
  });
});

describe("client certificates", () => {
  // Each certificate is self-signed and trusts itself.
  const client = { cert: a?.cert ?? "", key: a?.key ?? "" };
  const stranger = { cert: b?.cert ?? "", key: b?.key ?? "" };
  const ca = client.cert;

  /** The client's certificate as a handler sees it. Rejects if the client is not served. */
  async function seen(port: number, own: object): Promise<Record<string, unknown> | null> {
    const tls = { insecure: true, ...own };
    const socket = await websocketConnect(`wss://127.0.0.1:${port}/`, { tls });
    const message = await socket.readMessage();
    socket.close(1000);
    await socket.closed;
    return JSON.parse(String(message)).certificate;
  }

  /** Whether a client is served. */
  function isServed(port: number, own: object): Promise<boolean> {
    return seen(port, own).then(() => true, () => false);
  }

  for (const more of [{}, { certificates: [itemOf("a.example", wild)] }]) {
    const servers = Object.keys(more).length === 0 ? "one certificate" : "several certificates";
    test(`are required and checked, with ${servers}`, async () => {
      const { app, server, errors } = serve({ ca, ...more });
      await server.listening;
      const { port } = server.addr;
      const certificate = await seen(port, client);
      assertEquals(certificate?.subject, { CN: "a.example" });
      assertEquals(certificate?.issuer, { CN: "a.example" });
      assertEquals(certificate?.subjectAltName, "DNS:a.example");
      assert(Date.parse(String(certificate?.validFrom)) < Date.now());
      assert(Date.parse(String(certificate?.validTo)) > Date.now());
      assertEquals(String(certificate?.fingerprint256).length, 95);
      assertNotEquals(certificate?.serialNumber, "");
      for (const own of [stranger, {}]) assertEquals(await isServed(port, own), false);
      assertEquals(await isServed(port, { ...client, serverName: "a.example" }), true);
      assertEquals(await isServed(port, { ...stranger, serverName: "a.example" }), false);
      assertEquals(await isServed(port, { serverName: "a.example" }), false);
      assertEquals(errors.length, 4);
      assertEquals(app.stats().refused.tls, 4);
      server.setCertificate({ cert: wild?.cert ?? "", key: wild?.key ?? "" });
      assertEquals(await isServed(port, client), true);
      assertEquals(await isServed(port, stranger), false);
      await server.shutdown();
    });
  }

  test("may be missing if they are optional, but not wrong", async () => {
    const { server, errors } = serve({ ca, clientCertificate: "optional" });
    await server.listening;
    const { port } = server.addr;
    assertEquals(await seen(port, {}), null);
    assertEquals((await seen(port, client))?.subject, { CN: "a.example" });
    assertEquals(await isServed(port, stranger), false);
    assertEquals(errors.length, 1);
    assertStringIncludes(errors[0] ?? "", "the client's certificate is not valid: ");
    await server.shutdown();
  });
});

describe("TLS options that are wrong", () => {
  const item = itemOf("a.example", a);
  const rows: readonly (readonly [options: object, message: string])[] = [
    [{ certificates: undefined }, "certificates must be an array of { hostname, cert, key }"],
    [{ certificates: [] }, "certificates must be an array of { hostname, cert, key } that is not"],
    [{ certificates: item }, "certificates must be an array"],
    [{ certificates: [null] }, "Cannot use certificate options: must be an object, got null"],
    [{ certificates: [{ cert, key }] }, "certificates: hostname must be a host name such as"],
    [{ certificates: [{ ...item, hostname: "" }] }, "hostname must be a host name"],
    [{ certificates: [{ ...item, hostname: "*" }] }, 'hostname must be a host name such as "a.e'],
    [{ certificates: [{ ...item, hostname: "a.*.b" }] }, "hostname must be a host name"],
    [{ certificates: [{ ...item, hostname: "a:443" }] }, "hostname must be a host name"],
    [{ certificates: [{ ...item, cert: undefined }] }, "cert must be a string in PEM, got undef"],
    [{ certificates: [{ ...item, key: "" }] }, 'certificates: key must be a string in PEM, got ""'],
    [{ certificates: [{ ...item, ca: cert }] }, 'certificate option "ca": unknown'],
    [{ certificates: [{ ...item, key }] }, "cert or key of a.example is not usable: "],
    [{ certificates: [{ ...item, cert: "x" }] }, "cert or key of a.example is not usable: "],
    [{ ca: undefined }, "ca must be a string in PEM, got undefined"],
    [{ ca: "" }, 'ca must be a string in PEM, got ""'],
    [{ ca: "x" }, "ca is not usable"],
    [{ ca: `${cert}\n${cert.replace(/[A-Za-z0-9+/]{64}\n/, "")}` }, "ca is not usable"],
    [{ ca: cert, clientCertificate: undefined }, 'clientCertificate must be "required" or "opti'],
    [{ ca: cert, clientCertificate: true }, 'clientCertificate must be "required" or "optional"'],
    [{ clientCertificate: "optional" }, "clientCertificate needs ca"],
    [{ renewable: undefined }, "renewable must be a boolean, got undefined"],
    [{ renewable: 1 }, "renewable must be a boolean, got 1"],
    [{ cert: undefined, renewable: true }, "cert must be a string in PEM, got undefined"],
    [{ rejectUnauthorized: true }, "did you mean clientCertificate?"],
    [{ requestCert: true }, "did you mean clientCertificate?"],
    [{ cert: "x", key: "y", renewable: true }, "cert or key is not usable: "],
    [{ key: a?.key, renewable: true }, "cert or key is not usable: "],
  ];
  for (const [options, message] of rows) {
    test(JSON.stringify(options).slice(0, 60) + `: ${message}`, () => {
      const given = { hostname: "127.0.0.1", port: 0, cert, key, ...options } as ListenOptions;
      for (
        const call of [
          () => new Application([]).listen(given),
          () => listen(given as ListenerOptions, () => {}),
        ]
      ) assertStringIncludes(assertThrows(call, TypeError).message, message);
    });
  }

  const adapter = { deno: listenWithDeno, bun: listenWithBun, node: undefined }[runtime];
  for (const option of ["certificates", "ca", "renewable", "http2"]) {
    if (adapter === undefined) break;
    test(`${option} of an adapter whose runtime does not have it`, () => {
      const value = { certificates: [item], ca: cert, renewable: true, http2: true }[option];
      const error = assertThrows(
        () => adapter({ cert, key, [option]: value }, () => {}),
        TypeError,
      );
      assertStringIncludes(error.message, `it has no option ${option}; use Application.listen`);
    });
  }

  test("need cert and key", () => {
    for (const option of [{ certificates: [item] }, { ca: cert }, { renewable: true }]) {
      assertThrows(
        () => new Application([]).listen({ port: 0, ...option }),
        TypeError,
        "Cannot listen with TLS: cert must be a string in PEM, got undefined",
      );
    }
  });
});
