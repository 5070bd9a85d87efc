/**
 * Checks that the npm package works on the oldest supported Node. Plain JavaScript:
 * `node tests/jsr/oldest_node.mjs FOLDER`, with the folder of `deno task build:npm`.
 */
import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";

const [folder = ""] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(join(resolve(folder), path)).href);
const { Application, WebSocketHandler } = await load("mod.js");
const { websocketConnect } = await load("src/client/mod.js");
await load("src/testing/mod.js");

class Echo extends WebSocketHandler {
  onMessage(message) {
    this.writeMessage(message);
  }
}

const versions = ["rfc6455", "hybi-08", "hybi-07", "draft76", "draft75"];
const compression = { threshold: 0 };
const app = new Application([["/:name", Echo]], { versions, compression });
const server = app.listen({ hostname: "127.0.0.1", port: 0, onListen() {} });
await server.listening;
for (const version of versions) {
  const url = `ws://127.0.0.1:${server.addr.port}/echo`;
  const offer = version.startsWith("draft") ? {} : { compression };
  const connection = await websocketConnect(url, { version, ...offer });
  for (const text of ["", "Hello", "x".repeat(1 << 20)]) {
    await connection.writeMessage(text);
    assert.equal(await connection.readMessage(), text);
  }
  connection.close();
  await connection.closed;
  console.log(`${version}: ok`);
}
await server.shutdown();

if (globalThis.URLPattern === undefined) {
  assert.throws(() => new Application([["/a{b}?", Echo]]), /pattern "\/a\{b\}\?".*URLPattern/);
}
console.log(`Node ${process.version}: ok`);
