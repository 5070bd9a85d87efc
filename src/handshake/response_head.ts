/**
 * The head of an HTTP response.
 *
 * @module
 */
import { MessageHead } from "./message_head.ts";

/** The position of the status code, after `HTTP/1.1 `. */
const STATUS_AT = 9;

/** The status and fields of a response. */
export class ResponseHead extends MessageHead {
  /** The first line, without its CRLF. */
  readonly statusLine: string;

  /** @param text The well-formed head with its empty line. */
  constructor(text: string) {
    const end = text.indexOf("\r\n");
    super(text, end + 2);
    this.statusLine = text.substring(0, end);
  }

  /** The status code. */
  get status(): number {
    return Number(this.statusLine.substring(STATUS_AT, STATUS_AT + 3));
  }
}

/** Makes the `received` of a rule about a field of the response. */
export function receivedField(
  name: string,
): (facts: { readonly head: ResponseHead }) => string | undefined {
  return ({ head }) => head.get(name);
}
