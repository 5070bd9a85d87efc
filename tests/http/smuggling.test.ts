import { Server as NodeServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { latin1Bytes, placesToSplit } from "../support/bytes.ts";
import type { MemoryClient } from "../support/memory_client.ts";
import { settle, untilQuiet } from "../support/rig.ts";
import { runtime } from "../support/runtime.ts";
import { serve } from "./serve.ts";
import { SMUGGLING_CASES } from "./smuggling_cases.ts";

/** Rows that are longer are not split in two. */
const LONG = 1000;

/** Answers with what was served. */
async function report(request: Request): Promise<Response> {
  const body = await request.text();
  const seen = `${request.method} ${new URL(request.url).pathname} ${body}`.trim();
  return new Response(null, { headers: { "X-Seen": seen } });
}

/** The requests that were served, and the status codes of refusals, in order. */
function outcome(raw: string): string {
  const parts = raw.matchAll(/HTTP\/1\.1 ([45]\d\d)|x-seen: ([^\r]*)/gi);
  return [...parts].map(([, status, seen]) => status ?? seen).join(" | ");
}

describe("what could be smuggled", () => {
  for (const [name, text, expected] of SMUGGLING_CASES) {
    test(name, async () => {
      const rig = serve(report);
      const clients: [how: string, client: MemoryClient, rest: string][] = [
        ["whole", rig.join().client, text],
        ["byte by byte", rig.join({ split: 1 }).client, text],
      ];
      for (const at of text.length < LONG ? placesToSplit(text) : []) {
        const { client } = rig.join();
        client.write(text.slice(0, at));
        clients.push([`split at ${at}`, client, text.slice(at)]);
      }
      await untilQuiet();
      for (const [, client, rest] of clients) {
        client.write(rest);
        client.end();
      }
      const isOver = () => clients.every(([, { events }]) => events.length > 0);
      for (let waited = 0; waited < 100 && !isOver(); waited++) await settle();
      for (const [how, client] of clients) {
        assertEquals(outcome(client.raw), expected, how);
        assert(client.events.length > 0, `${how}: the connection goes on`);
      }
      assertEquals(rig.logged, []);
    });
  }
});

/** A server of Node that tells what it has served. */
async function listenOnNode(seen: string[]): Promise<NodeServer> {
  const server = new NodeServer((request, response) => {
    let body = "";
    request.setEncoding("latin1");
    request.on("data", (piece) => body += piece);
    request.on("end", () => {
      seen.push(`${request.method} ${request.url} ${body}`.trim());
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

/** Sends bytes and FIN, and returns what came back until the end. */
function talkToNode(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let raw = "";
    socket.setEncoding("latin1");
    socket.on("data", (piece) => raw += piece);
    // A reset may follow a refusal.
    socket.on("error", () => {});
    socket.on("close", () => resolve(raw));
    socket.end(latin1Bytes(text));
  });
}

// Bun and Deno have parsers of their own.
if (runtime === "node") {
  describe("Node's parser", () => {
    test("makes the same of it, or the row says why not", async () => {
      const seen: string[] = [];
      const server = await listenOnNode(seen);
      const { port } = server.address() as AddressInfo;
      try {
        for (const [name, text, ours, node = ours, because] of SMUGGLING_CASES) {
          const raw = await talkToNode(port, text);
          const refusals = [...raw.matchAll(/HTTP\/1\.1 ([45]\d\d)/g)].map(([, status]) => status);
          assertEquals([...seen.splice(0), ...refusals].join(" | "), node, name);
          assertEquals(ours !== node, because !== undefined, name);
        }
      } finally {
        server.close();
      }
    });
  });
}
