/**
 * A server with a slow handler in its own process, and clients that send as fast as it reads.
 *
 * @module
 */
import { COLLECTABLE } from "../support/collect.ts";
import { MemoryClient } from "../support/memory_client.ts";
import { type Runtime, runtime as own } from "../support/runtime.ts";
import { type Child, spawnScript } from "../support/spawn.ts";

const MIB = 2 ** 20;

/** Runs `use` with a server, and ends it. Default: on the test's own runtime. */
export async function withSlowServer<Result>(
  use: (port: number, child: Child) => Promise<Result>,
  runtime: Runtime = own,
): Promise<Result> {
  const child = spawnScript("tests/server/scripts/slow.ts", [], { env: COLLECTABLE, runtime });
  try {
    const [, port] = await child.waitFor(/^port (\d+)$/m);
    return await use(Number(port), child);
  } finally {
    await child.stop("SIGKILL");
  }
}

/** Sends the same bytes again and again, as fast as the server reads them. */
export async function push(client: MemoryClient, bytes: Uint8Array, times: number): Promise<void> {
  for (let sent = 0; sent < times; sent++) {
    const { transport } = client;
    transport.write(bytes, true);
    if (transport.bufferedAmount <= 8 * MIB) continue;
    await client.until("room", () => transport.bufferedAmount === 0 || client.events.length > 0);
  }
}

/**
 * Sends binary messages of 1 MiB to a server.
 *
 * @returns How much memory the server used in addition to that of its first message, in MiB.
 * @throws {Error} If it did not get all of them.
 */
export async function pushMebibytes(port: number, count: number): Promise<number> {
  const client = await MemoryClient.connect({ port });
  await client.open("rfc6455", { host: `127.0.0.1:${port}` });
  // With a mask of zeros, this end has less work.
  const frame = new Uint8Array(14 + MIB);
  frame.set([0x82, 0xff, 0, 0, 0, 0, 0, MIB >> 16, 0, 0]);
  await push(client, frame, count);
  client.send("report");
  const report = await client.next();
  client.reset();
  const [, messages, bytes, grown] = /^text (\d+) messages, (\d+) bytes, (\d+) MiB$/.exec(report) ??
    [];
  if (Number(messages) === count && Number(bytes) === count * MIB) return Number(grown);
  throw new Error(`The server should have got ${count} MiB, but says ${report}`);
}
