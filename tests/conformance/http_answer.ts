/**
 * Requests written line by line, and the answers to them.
 *
 * @module
 */
import { latin1Bytes } from "../support/bytes.ts";
import { RawClient } from "../support/raw_client.ts";

/** The head of an answer, and what is behind it. */
export interface HttpAnswer {
  readonly status: number;
  /** The head as it was sent, with its empty line. */
  readonly head: string;
  readonly fields: Headers;
  /** What stands behind the head; for a refusal all of it. */
  readonly rest: string;
}

/** A head of these lines. */
export function headOf(lines: readonly string[]): Uint8Array {
  return latin1Bytes([...lines, "", ""].join("\r\n"));
}

/** Sends a request and returns all that comes back until the server's FIN. */
export async function request(port: number, lines: readonly string[]): Promise<HttpAnswer> {
  const client = await RawClient.connect({ port });
  try {
    client.write(headOf(lines));
    const head = new TextDecoder().decode(await client.readThrough("\r\n\r\n"));
    const answer = parseAnswer(head, "");
    // Whoever is accepted has to leave by itself.
    if (answer.status === 101) client.end();
    const rest = new TextDecoder().decode(await client.readToEnd());
    if (client.error !== undefined) throw client.error;
    return parseAnswer(head, rest);
  } finally {
    await client.destroy();
  }
}

function parseAnswer(head: string, rest: string): HttpAnswer {
  const [, status] = /^HTTP\/1\.1 (\d{3}) [ -~]*\r\n/.exec(head) ?? [];
  if (status === undefined) throw new Error(`No answer begins like ${JSON.stringify(head)}`);
  const fields = new Headers();
  for (const line of head.split("\r\n").slice(1, -2)) {
    const colon = line.indexOf(":");
    fields.append(line.slice(0, colon), line.slice(colon + 1));
  }
  return { status: Number(status), head, fields, rest };
}
