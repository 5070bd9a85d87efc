/**
 * A client that answers pings and reads messages: `client.ts ADDRESS VERSION TEXT`. It sends the
 * text when the connection is open.
 */
import process from "node:process";
import type { WebSocketVersion } from "../../../src/handshake/versions.ts";
import { MemoryClient } from "../../support/memory_client.ts";

const [hostname = "", version = "rfc6455", text = ""] = process.argv.slice(2);
const client = await MemoryClient.connect({ hostname, port: 8888 });
await client.open(version as WebSocketVersion, { host: `${hostname}:8888` });
client.send(text);
for (;;) {
  await client.until("an event", () => client.events.length > 0).catch(() => {});
  for (const event of client.take()) {
    if (event === "ping") client.pong(new Uint8Array(0));
    console.log(event.slice(0, 20));
  }
}
