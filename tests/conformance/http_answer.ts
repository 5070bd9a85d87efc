/**
 * Sends requests line by line, and reads the responses.
 *
 * @module
 */
import { latin1Bytes } from "../support/bytes.ts";
import { RawClient } from "../support/raw_client.ts";

/** The head of a response, and the bytes after it. */
export interface HttpAnswer {
  readonly status: number;
  /** The head as it was sent, with its empty line. */
  readonly head: string;
  readonly fields: Headers;
  /** The bytes after the head: the body of a refusal. */
  readonly rest: string;
}

/** Makes a head of these lines. */
export function headOf(lines: readonly string[]): Uint8Array {
  return latin1Bytes([...lines, "", ""].join("\r\n"));
}

/** Sends a request, and returns all bytes up to the server's FIN. */
export async function request(port: number, lines: readonly string[]): Promise<HttpAnswer> {
  const client = await RawClient.connect({ port });
  try {
    client.write(headOf(lines));
    const head = new TextDecoder().decode(await client.readThrough("\r\n\r\n"));
    const answer = parseAnswer(head, "");
    // If the server accepts, the client must close the connection.
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
