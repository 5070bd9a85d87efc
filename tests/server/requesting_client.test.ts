import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import type { RequestHead } from "../../src/handshake/request_head.ts";
import { RequestingClient } from "../../src/server/requesting_client.ts";
import type { Match } from "../../src/server/routes.ts";
import type { InternalTransport } from "../../src/transport/transport.ts";

const remoteAddress = { transport: "tcp", hostname: "10.0.0.1", port: 1 } as const;
const localAddress = { transport: "tcp", hostname: "10.0.0.2", port: 2 } as const;
const peerCertificate = { subject: "a" };
const proxiedTls = { version: "TLSv1.3" };

function make(secure = false): RequestingClient {
  const transport = { remoteAddress, localAddress, secure, peerCertificate, proxiedTls };
  return new RequestingClient(transport as unknown as InternalTransport);
}

/** A head whose `toRequest` tells the scheme. */
const head = {
  host: "example.com:1",
  toRequest: (scheme: string) => scheme,
} as unknown as RequestHead;

describe("a client", () => {
  test("has what its transport tells", () => {
    for (const secure of [true, false]) {
      const client = make(secure);
      assertEquals([client.remoteAddress, client.localAddress], [remoteAddress, localAddress]);
      assertEquals(client.secure, secure);
      assertEquals(client.peerCertificate as unknown, peerCertificate);
      assertEquals(client.proxiedTls as unknown, proxiedTls);
    }
  });

  test("has what a trusted proxy tells, as far as it does", () => {
    const client = make();
    client.forwarded = { hostname: "192.0.2.1", secure: true };
    const address = { transport: "tcp", hostname: "192.0.2.1", port: 0 };
    assertEquals([client.remoteAddress, client.secure], [address, true]);
    client.forwarded = { hostname: undefined, secure: undefined };
    assertEquals([client.remoteAddress, client.secure], [remoteAddress, false]);
    const secure = make(true);
    secure.forwarded = { hostname: undefined, secure: false };
    assertEquals(secure.secure, false);
  });

  test("has a request, and forgets it", () => {
    const client = make();
    client.head = head;
    client.match = { args: ["a"], params: { name: "a" } } as unknown as Match;
    client.forwarded = { hostname: undefined, secure: true };
    const { host, pathArgs, params } = client;
    assertEquals([host, pathArgs, params], ["example.com:1", ["a"], { name: "a" }]);
    assertEquals(client.toRequest() as unknown, "https");
    client.forwarded = null;
    assertEquals(client.toRequest() as unknown, "http");
    client.forwarded = { hostname: undefined, secure: true };
    client.forgetRequest();
    assertEquals([client.head, client.match, client.forwarded], [null, null, null]);
    assertEquals([client.host, client.pathArgs, client.params], ["", [], {}]);
    assertThrows(
      () => client.toRequest(),
      TypeError,
      "Cannot make a Request: no request has arrived",
    );
  });
});
