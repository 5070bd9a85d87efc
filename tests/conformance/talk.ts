/**
 * Talks to a server over a socket. The test decides about every byte.
 *
 * @module
 */
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { latin1Bytes } from "../support/bytes.ts";
import { makeOpening } from "../support/memory_client.ts";
import { RawClient } from "../support/raw_client.ts";

/** A connection after its handshake. */
export interface Opened {
  /** The connection. The test must destroy it. */
  readonly client: RawClient;
  /** The head of the response, with its empty line. */
  readonly answer: string;
}

/** Connects, makes the handshake, and checks the proof that the server has read the request. */
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

/** A time in which the server reads the written bytes as a chunk of their own. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

/** One conversation. */
export interface Talk {
  readonly port: number;
  readonly version: WebSocketVersion;
  /** Additional fields for the handshake. */
  readonly fields?: readonly string[];
  /** The chunks to write, with a turn of the event loop after each. */
  readonly pieces: Iterable<Uint8Array>;
  /** Whether the client sends FIN at the end. If not, the server must close the connection. */
  readonly fin: boolean;
}

/**
 * Connects, writes, and returns all that the server sends until its FIN.
 *
 * @throws {Error} If the server does not close the connection, or resets it.
 */
export async function talk({ port, version, fields, pieces, fin }: Talk): Promise<Uint8Array> {
  const { client } = await open(port, version, fields);
  try {
    for (const piece of pieces) {
      // After a close, nothing more is sent.
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

/** How many conversations there may be at a time. */
const AT_ONCE = 64;

/** Runs a function for each row, several at a time. Throws all errors together. */
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
