import { assert, assertEquals } from "@std/assert";
import { spawnSync } from "node:child_process";
import { type AddressInfo, connect, createServer } from "node:net";
import { describe, test } from "node:test";
import { listen } from "../../src/transport/listen.ts";
import { nodeTransport } from "../../src/transport/node.ts";
import type { Address, Transport } from "../../src/transport/transport.ts";
import { runtimePath } from "../support/runtime.ts";
import { connectPeer, credentials } from "./links.ts";
import { Recorder, Watched } from "./recorder.ts";

/** Connects and resets a given number of times, in its own process. */
const RESET = `
const [port, count] = process.argv.slice(1).map(Number);
let left = count;
for (let i = 0; i < count; i++) {
  const socket = require("node:net").connect(port, "127.0.0.1", () => {
    socket.resetAndDestroy();
    if (--left === 0) process.exit();
  });
}
`;

/** Blocks this process meanwhile, so that the system accepts and loses all of these connections. */
function resetFromOutside(port: number, count: number): void {
  const { status } = spawnSync(runtimePath("node"), ["-e", RESET, String(port), String(count)]);
  assertEquals(status, 0);
}

const isTcp = ({ transport, hostname }: Address) => transport === "tcp" && hostname === "127.0.0.1";

/** Records the addresses of a connection when it is accepted, and when it is closed. */
class Visitors extends Watched {
  readonly seen: Address[] = [];
  readonly recorders: Recorder[] = [];

  readonly accept = (transport: Transport): void => {
    this.recorders.push(new Recorder(transport));
    this.seen.push(transport.remoteAddress, transport.localAddress);
    this.changed();
  };

  async end(): Promise<void> {
    for (const recorder of this.recorders) {
      recorder.transport.destroy();
      await recorder.until(() => recorder.gone, "closed");
      this.seen.push(recorder.transport.remoteAddress, recorder.transport.localAddress);
    }
  }
}

describe("a client that resets the connection at once", () => {
  for (const secure of [false, true]) {
    test(`is not taken for a unix socket${secure ? ", with TLS" : ""}`, async () => {
      const visitors = new Visitors();
      const options = { hostname: "127.0.0.1", ...(secure ? credentials : {}) };
      const listener = listen(options, visitors.accept);
      await listener.listening;
      const { port } = listener.address;
      resetFromOutside(port, 50);
      // Connections are accepted in order: when this one is accepted, so are all earlier ones.
      const peer = await connectPeer({ port }, secure);
      await visitors.until(() => visitors.seen.length > 0, "a connection");
      listener.close();
      peer.destroy();
      await visitors.end();
      assertEquals(visitors.seen.filter((address) => !isTcp(address)), []);
    });
  }

  test("is not taken for a unix socket by nodeTransport", async () => {
    const visitors = new Visitors();
    const server = createServer((socket) => {
      // The socket's errors reach the transport. A Deno socket without `destroyed` is not an error.
      visitors.seen.push(nodeTransport(socket).remoteAddress);
      socket.destroy();
      visitors.changed();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    resetFromOutside(port, 50);
    const socket = connect(port, "127.0.0.1").on("error", () => {}).resume();
    await visitors.until(() => visitors.seen.some(isTcp), "a connection");
    server.close();
    socket.destroy();
    assertEquals(visitors.seen.filter(({ transport }) => transport !== "tcp"), []);
    assert(visitors.seen.length > 0);
  });
});

describe("the addresses of a connection", () => {
  for (const secure of [false, true]) {
    test(`are known after the close, even if they were not read before${secure ? ", with TLS" : ""}`, async () => {
      const accepted: Recorder[] = [];
      const arrivals = new Watched();
      const options = { hostname: "127.0.0.1", ...(secure ? credentials : {}) };
      const listener = listen(options, (transport) => {
        accepted.push(new Recorder(transport));
        arrivals.changed();
      });
      await listener.listening;
      const peer = await connectPeer({ port: listener.address.port }, secure);
      await arrivals.until(() => accepted.length === 1, "a connection");
      const [recorder] = accepted;
      assert(recorder !== undefined);
      peer.reset();
      await recorder.until(() => recorder.gone || recorder.ended, "the end");
      recorder.transport.destroy();
      await recorder.until(() => recorder.gone, "closed");
      assert(isTcp(recorder.transport.remoteAddress));
      assertEquals(recorder.transport.localAddress.transport, "tcp");
      listener.close();
    });
  }
});
