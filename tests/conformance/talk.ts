/**
 * Conversations with a server over a socket, byte by byte as the test says.
 *
 * @module
 */
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { latin1Bytes } from "../support/bytes.ts";
import { makeOpening } from "../support/memory_client.ts";
import { RawClient } from "../support/raw_client.ts";

/** A connection behind its handshake. */
export interface Opened {
  /** The connection; the test destroys it. */
  readonly client: RawClient;
  /** The head of the answer, with its empty line. */
  readonly answer: string;
}

/** Connects, opens, and checks that the server has proved to have read the request. */
export async function open(
  port: number,
  version: WebSocketVersion,
  fields: readonly string[] = [],
): Promise<Opened> {
  const { head, key3, proof } = makeOpening(version, { host: `127.0.0.1:${port}`, fields });
  const client = await RawClient.connect({ port });
  try {
    client.write(latin1Bytes(head));
    client.write(key3);
    const answer = new TextDecoder().decode(await client.readThrough("\r\n\r\n"));
    const shown = proof instanceof Uint8Array ? (await client.read(16)).join() : answer;
    if (!answer.startsWith("HTTP/1.1 101 ")) throw new Error(`The answer is ${answer}`);
    if (!shown.includes(proof.toString())) throw new Error(`The proof is wrong: ${shown}`);
    return { client, answer };
  } catch (error) {
    await client.destroy();
    throw error;
  }
}

/** Long enough for the server to read what was written, as a piece of its own. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

/** One conversation. */
export interface Talk {
  readonly port: number;
  readonly version: WebSocketVersion;
  /** More fields for the handshake. */
  readonly fields?: readonly string[];
  /** What is written, with a turn of the event loop behind each. */
  readonly pieces: Iterable<Uint8Array>;
  /** Whether the client sends FIN then; if not, the server has to end the connection. */
  readonly fin: boolean;
}

/**
 * Opens, writes, and returns all that the server sends until its FIN.
 *
 * @throws {Error} If the server does not end, or resets the connection.
 */
export async function talk({ port, version, fields, pieces, fin }: Talk): Promise<Uint8Array> {
  const { client } = await open(port, version, fields);
  try {
    for (const piece of pieces) {
      // Whoever is told that the connection is closed sends no more.
      if (client.ended) break;
      client.write(piece);
      await turn();
    }
    if (fin) client.end();
    const received = await client.readToEnd();
    if (client.error !== undefined) throw client.error;
    return received;
  } finally {
    await client.destroy();
  }
}

/** So many conversations at a time. */
const AT_ONCE = 64;

/** Runs something for each row, many at a time, and fails with all that failed. */
export async function forAll<Row extends { readonly name: string }>(
  rows: Iterable<Row>,
  run: (row: Row) => Promise<void>,
): Promise<void> {
  const failures: string[] = [];
  const iterator = rows[Symbol.iterator]();
  const work = async () => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) {
      const row = next.value;
      await run(row).catch((error) => failures.push(`${row.name}: ${error?.message ?? error}`));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (failures.length > 0) {
    const shown = failures.slice(0, 20).join("\n");
    throw new Error(`${failures.length} rows failed:\n${shown}`);
  }
}
