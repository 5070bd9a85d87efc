/**
 * The head of one HTTP response, as it was received.
 *
 * @module
 */
import { MessageHead } from "./message_head.ts";

/** The length of `HTTP/1.1 `, in front of the status code. */
const STATUS_AT = 9;

/** A response's status and fields. */
export class ResponseHead extends MessageHead {
  /** The first line, without its CRLF. */
  readonly statusLine: string;

  /** @param text The head with its empty line, well-formed. */
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

/** A field of the response that a rule is about, for its error. */
export function receivedField(
  name: string,
): (facts: { readonly head: ResponseHead }) => string | undefined {
  return ({ head }) => head.get(name);
}
