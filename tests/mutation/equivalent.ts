/**
 * Mutants that no test can find, because they behave like the source.
 *
 * @module
 */
import type { Mutant } from "./mutants.ts";

/** A mutant, and why it is equivalent. */
export interface Equivalent extends Pick<Mutant, "file" | "before" | "after"> {
  /** The line above. Needed only if the source has the line more than once. */
  readonly above?: string;
  readonly reason: string;
}

/** All known equivalent mutants. A test checks that the sources still have these lines. */
export const EQUIVALENT: readonly Equivalent[] = [
  {
    file: "src/handshake/challenge.ts",
    before: "digits++;",
    after: "digits--;",
    reason: "the number of digits is compared with 0 only",
  },
  {
    file: "src/handshake/status_line.ts",
    before: '"malformed",',
    after: '"",',
    reason: "the error for a response does not depend on the kind",
  },
  {
    file: "src/handshake/status_line.ts",
    before: 'if (byte !== LF) throw this.error("malformed", BARE_CR);',
    after: 'if (byte !== LF) throw this.error("", BARE_CR);',
    reason: "the error for a response does not depend on the kind",
  },
  {
    file: "src/handshake/host.ts",
    before: "if (decoded === undefined) return false;",
    after: "if (false) return false;",
    reason: "the name without this label is another one, or none",
  },
  {
    file: "src/handshake/request_head.ts",
    before: 'if (target.startsWith("/")) return target;',
    after: "if (false) return target;",
    reason: "the other lines leave such a target as it is",
  },
  {
    file: "src/handshake/head_reader.ts",
    before: "const bytes = chunk.length > room ? chunk.subarray(0, room) : chunk;",
    after: "const bytes = true ? chunk.subarray(0, room) : chunk;",
    reason: "a view of a shorter chunk has all its bytes",
  },
  {
    file: "src/handshake/signed_value.ts",
    before: "if (colon === -1 || !/^[0-9]{1,6}$/.test(length)) return undefined;",
    after: "if (colon === -2 || !/^[0-9]{1,6}$/.test(length)) return undefined;",
    reason: "without a colon, no signature is left behind the fields",
  },
  {
    file: "src/handshake/response_head.ts",
    before: "return Number(this.statusLine.substring(STATUS_AT, STATUS_AT + 3));",
    after: "return Number(this.statusLine.substring(STATUS_AT, STATUS_AT + 4));",
    reason: "a space may stand behind the digits of a number",
  },
  {
    file: "src/handshake/origin.ts",
    before: 'const HOST_AND_PORT = new RegExp(`^(${HOST})(?::([0-9]{0,5}))?$`, "i");',
    after: 'const HOST_AND_PORT = new RegExp(`^(${HOST})(?::([0-9]{0,5}))?$`, "");',
    reason: "the pattern of a host has letters in both cases",
  },
  {
    file: "src/connection/reader.ts",
    before: "if (message.byteOffset > 0) this.#kept = true;",
    after: "if (message.byteOffset > 1) this.#kept = true;",
    reason: "a header has at least two bytes",
  },
  {
    file: "src/handshake/message_head.ts",
    before: "if (fieldIndex.head !== this) this.#locate();",
    after: "if (true) this.#locate();",
    reason: "the same places are found again, which only takes time",
  },
  {
    file: "src/connection/connection.ts",
    before: '#peer: PeerState = "sending";',
    after: '#peer: PeerState = "";',
    reason: "it is compared with the two other states only",
  },
  {
    file: "src/protocol/deflater.ts",
    before: "output = new Uint8Array(Math.max(scratch.length, payload.length >> 2));",
    after: "output = new Uint8Array(Math.max(scratch.length, payload.length >> 1));",
    reason: "only the sizes of the parts differ, which are joined",
  },
  {
    file: "src/protocol/mask.ts",
    before: "let orOfBytes = orOfWords & 0x80808080 ? 0x80 : 0;",
    after: "let orOfBytes = orOfWords & 0x80808080 ? 0x80 : 1;",
    reason: "the result is compared with 0x80 only",
  },
  {
    file: "src/protocol/text_batch.ts",
    before: "const MAX_PAYLOAD_SIZE = 125;",
    after: "const MAX_PAYLOAD_SIZE = 124;",
    reason: "a text of 125 bytes is received alone, which is only slower",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: "const PROBE = 1024;",
    after: "const PROBE = 1023;",
    reason: "the end is found by either search",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: "const PROBE = 1024;",
    after: "const PROBE = 1025;",
    reason: "the end is found by either search",
  },
  {
    file: "src/protocol/utf8.ts",
    before: "const LOOP_BELOW = 8;",
    after: "const LOOP_BELOW = 7;",
    reason: "either way decodes the same text",
  },
  {
    file: "src/protocol/utf8.ts",
    before: "const LOOP_BELOW = 8;",
    after: "const LOOP_BELOW = 9;",
    reason: "either way decodes the same text",
  },
  {
    file: "src/protocol/hixie.ts",
    before: "const last = end - 3;",
    after: "const last = end - 4;",
    reason: "the last bytes are looked at one by one",
  },
  {
    file: "src/protocol/hixie.ts",
    before: "const at = output.reserve(message.length * 3 + 2);",
    after: "const at = output.reserve(message.length * 3 + 3);",
    reason: "there is room for one byte more",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before:
      "if (byte >= 0xc0) return at + (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) > end ? at : end;",
    after: "if (byte >= 0xc0) return at + (byte < 0xe0 ? 2 : false ? 3 : 4) > end ? at : end;",
    reason: "a character that is whole may also be decoded with what follows",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before:
      "if (byte >= 0xc0) return at + (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) > end ? at : end;",
    after: "if (byte >= 0xc0) return at + (false ? 2 : byte < 0xf0 ? 3 : 4) > end ? at : end;",
    reason: "a character that is whole may also be decoded with what follows",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: "const LATER = 64 * 1024;",
    after: "const LATER = 63 * 1024;",
    reason: "the same text is decoded in parts of another size",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: "const LATER = 64 * 1024;",
    after: "const LATER = 65 * 1024;",
    reason: "the same text is decoded in parts of another size",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: "const LATER = 64 * 1024;",
    after: "const LATER = 64 * 1023;",
    reason: "the same text is decoded in parts of another size",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: "const LATER = 64 * 1024;",
    after: "const LATER = 64 * 1025;",
    reason: "the same text is decoded in parts of another size",
  },
  {
    file: "src/protocol/outgoing_frame.ts",
    before: "const length = message.length > ROOMY",
    after: "const length = message.length >= ROOMY",
    reason: "both write the same bytes",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: "if (byte < 0x80) return end;",
    after: "if (false) return end;",
    reason: "cuts before a character that cannot be completed: it is replaced wherever it is cut",
  },
  {
    file: "src/protocol/zlib.ts",
    before: "const isRefused = !inflating.write(Uint8Array.of(0xff), 0, new Uint8Array(1));",
    after: "const isRefused = !inflating.write(Uint8Array.of(0xff), 0, new Uint8Array(0));",
    reason: "the type of a block is refused before there is output",
  },
  {
    file: "src/handshake/request_line.ts",
    before: "while (at < chunk.length && TOKEN_BYTES[chunk[at]!] === 1) at++;",
    after: "while (at <= chunk.length && TOKEN_BYTES[chunk[at]!] === 1) at++;",
    reason: "there is no byte behind the chunk, and so none of a token",
  },
  {
    file: "src/handshake/request_line.ts",
    before: "while (at < chunk.length && TARGET_BYTES[chunk[at]!] === 1) at++;",
    after: "while (at <= chunk.length && TARGET_BYTES[chunk[at]!] === 1) at++;",
    reason: "there is no byte behind the chunk, and so none of a target",
  },
  {
    file: "src/handshake/message_head.ts",
    before: "const end = text.length - 2;",
    after: "const end = text.length - 3;",
    reason: "no field begins in the last five bytes",
  },
  {
    file: "src/connection/keepalive.ts",
    before: "sawTraffic = true;",
    after: "sawTraffic = false;",
    reason: "traffic answers a ping, and none was sent before the first tick",
  },
  {
    file: "src/connection/keepalive.ts",
    before: "next = 0;",
    after: "next = 1;",
    reason: "the constructor sets it",
  },
  {
    file: "src/connection/states.ts",
    before:
      "const STAY = (next: State): Transition => ({ next, sendsClose: false, destroys: false });",
    after:
      "const STAY = (next: State): Transition => ({ next, sendsClose: true, destroys: false });",
    reason: "these events have no close frame to send, or change nothing",
  },
  {
    file: "src/connection/states.ts",
    before:
      "const STAY = (next: State): Transition => ({ next, sendsClose: false, destroys: false });",
    after:
      "const STAY = (next: State): Transition => ({ next, sendsClose: false, destroys: true });",
    reason: "only a connection that becomes closed is destroyed",
  },
  {
    file: "src/server/connection_limits.ts",
    before: "const count = this.#counts.get(hostname) ?? 0;",
    above: "this.#counted.delete(key);",
    after: "const count = this.#counts.get(hostname) ?? (-1);",
    reason: "a connection that is counted has an address with a count",
  },
  {
    file: "src/server/server_connection.ts",
    before: "if (match !== null) context.counters.open(match.pattern, this.version);",
    after: "if (true) context.counters.open(match.pattern, this.version);",
    reason: "the handler is one of a match",
  },
  {
    file: "src/server/opening.ts",
    before: "if (head === null) return;",
    after: "if (false) return;",
    reason: "an opening begins with a head",
  },
  {
    file: "src/server/dispatcher.ts",
    before: "return this.#inbox === null ? 0 : this.#inbox.length;",
    after: "return this.#inbox === null ? (-1) : this.#inbox.length;",
    reason: "it is only asked for whether it is above 0",
  },
  {
    file: "src/server/connection_limits.ts",
    before: "if (hostname === undefined) return;",
    after: "if (false) return;",
    reason: "there is nothing to delete for a connection that is not counted",
  },
  {
    file: "src/connection/inbox.ts",
    before: "if (this.#next === this.#events.length) this.clear();",
    after: "if (false) this.clear();",
    reason: "only how long an array keeps the places of events that were taken",
  },
  {
    file: "src/connection/inbox.ts",
    before: "else if (this.#next >= 1024 && this.#next * 2 > this.#events.length) {",
    after: "else if (this.#next >= 1024 && this.#next * 2 >= this.#events.length) {",
    reason: "only how long an array keeps the places of events that were taken",
  },
  {
    file: "src/connection/reader.ts",
    above: "#parse(chunk: Uint8Array, owned: boolean): void {",
    before: "if (this.#protocol === null) return;",
    after: "if (false) return;",
    reason: "with no protocol, nothing is held, and chunks are held instead of parsed",
  },
  {
    file: "src/server/opening.ts",
    before: "if (rest.length > 0) this.#hold(rest, owned);",
    after: "if (true) this.#hold(rest, owned);",
    reason: "holding no bytes only takes time",
  },
  {
    file: "src/server/opening.ts",
    before: "if (rest.length > 0) this.#hold(rest, owned);",
    after: "if (rest.length >= 0) this.#hold(rest, owned);",
    reason: "holding no bytes only takes time",
  },
  {
    file: "src/connection/flood_control.ts",
    before: "let left = 0;",
    after: "let left = (-1);",
    reason: "a connection that waits has a rate, whose time is not negative",
  },
  {
    file: "src/connection/token_bucket.ts",
    before: "return missing <= 0 ? 0 : Math.ceil(missing * 1000 / this.#rate.perSecond);",
    after: "return missing < 0 ? 0 : Math.ceil(missing * 1000 / this.#rate.perSecond);",
    reason: "if nothing is missing, the time is 0 either way",
  },
  {
    file: "src/protocol/hixie.ts",
    before: "#end = 0;",
    after: "#end = 1;",
    reason: "nothing is found in an empty window, and no second message ends here",
  },
  {
    file: "src/protocol/hixie.ts",
    before: "#end = 0;",
    after: "#end = (-1);",
    reason: "nothing is found in an empty window, and no second message ends here",
  },
  {
    file: "src/protocol/incoming_pieces.ts",
    before: "const SLICE = 16 * 1024;",
    after: "const SLICE = 16 * 1023;",
    reason: "the same bytes are decompressed in parts of another size",
  },
  {
    file: "src/protocol/incoming_pieces.ts",
    before: "const SLICE = 16 * 1024;",
    after: "const SLICE = 16 * 1025;",
    reason: "the same bytes are decompressed in parts of another size",
  },
  {
    file: "src/protocol/incoming_pieces.ts",
    before: "const SLICE = 16 * 1024;",
    after: "const SLICE = 15 * 1024;",
    reason: "the same bytes are decompressed in parts of another size",
  },
  {
    file: "src/protocol/incoming_pieces.ts",
    before: "const SLICE = 16 * 1024;",
    after: "const SLICE = 17 * 1024;",
    reason: "the same bytes are decompressed in parts of another size",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: "const LARGEST = SMALLEST * 4 ** 7;",
    after: "const LARGEST = SMALLEST * 3 ** 7;",
    reason: "the same text is decoded in parts of another size",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: "const LARGEST = SMALLEST * 4 ** 7;",
    after: "const LARGEST = SMALLEST * 5 ** 7;",
    reason: "the same text is decoded in parts of another size",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: "const LARGEST = SMALLEST * 4 ** 7;",
    after: "const LARGEST = SMALLEST * 4 ** 6;",
    reason: "the same text is decoded in parts of another size",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: "const LARGEST = SMALLEST * 4 ** 7;",
    after: "const LARGEST = SMALLEST * 4 ** 8;",
    reason: "the same text is decoded in parts of another size",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: "for (let at = end - 1; at >= end - 3; at--) {",
    after: "for (let at = end - 1; at >= end - 4; at--) {",
    reason: "no character is longer than four bytes",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before:
      "else for (let i = 0; i < size; i++) this.#bytes[this.#length + i] = chunk[at + i] as number;",
    after:
      "else for (let i = 0; i <= size; i++) this.#bytes[this.#length + i] = chunk[at + i] as number;",
    reason: "the byte after the last one is overwritten, or has no place",
  },
  {
    file: "src/connection/round_trip.ts",
    before: "#sentAt = 0;",
    after: "#sentAt = (-1);",
    reason: "it is set together with the payload, without which it is not read",
  },
  {
    file: "src/connection/round_trip.ts",
    before: "#sentAt = 0;",
    after: "#sentAt = 1;",
    reason: "it is set together with the payload, without which it is not read",
  },
  {
    file: "src/connection/reader.ts",
    before: "if (this.#held !== null || !this.mayParse) this.update();",
    after: "if (true) this.update();",
    reason: "otherwise the transport is not paused, and stays so",
  },
  {
    file: "src/connection/connection.ts",
    before: "if (this.#environment.limits.idleTimeout > 0) {",
    after: "if (true) {",
    reason: "the time of the last message is read with an idleTimeout only",
  },
  {
    file: "src/connection/connection.ts",
    before: "if (this.#environment.limits.idleTimeout > 0) {",
    after: "if (this.#environment.limits.idleTimeout >= 0) {",
    reason: "the time of the last message is read with an idleTimeout only",
  },
  {
    file: "src/connection/connection.ts",
    before: "if (this.#environment.limits.idleTimeout > 0) {",
    after: "if (this.#environment.limits.idleTimeout > (-1)) {",
    reason: "the time of the last message is read with an idleTimeout only",
  },
  {
    file: "src/handshake/request_line.ts",
    before: "while (valueEnd > at && isSpace(bytes[valueEnd - 1]!)) valueEnd--;",
    after: "while (valueEnd >= at && isSpace(bytes[valueEnd - 1]!)) valueEnd--;",
    reason: "an empty value is no key, whatever its length is then",
  },
  {
    file: "src/server/dispatcher.ts",
    before: "const result: unknown = hookContext === null && !MESSAGE.isObserved",
    after: "const result: unknown = false",
    reason: "the other way calls the handler too, if slower",
  },
  {
    file: "src/server/access_log.ts",
    before: "openedAt = 0;",
    after: "openedAt = 1;",
    reason: "the entry of the handshake sets it, before that of the end reads it",
  },
  {
    file: "src/server/access_log.ts",
    before: "openedAt = 0;",
    after: "openedAt = (-1);",
    reason: "the entry of the handshake sets it, before that of the end reads it",
  },
  {
    file: "src/connection/message_stream.ts",
    above: "const { size } = this.#pieces;",
    before: "this.#pieces.clear();",
    after: ";",
    reason: "nobody reads a cancelled stream, and its pieces are collected together with it",
  },
  {
    file: "src/connection/outgoing_message.ts",
    before: "if (this.#isOver || protocol === null) return false;",
    after: "if (this.#isOver || protocol === null) return true;",
    reason: "a writer without a protocol has stopped the message, and the next step ends it",
  },
  {
    file: "src/server/http_connection.ts",
    before:
      "this.#dispatch(head, consumed === chunk.length ? EMPTY : chunk.subarray(consumed), owned);",
    after: "this.#dispatch(head, false ? EMPTY : chunk.subarray(consumed), owned);",
    reason: "the view at the end of a chunk is empty, too, but takes time",
  },
  {
    file: "src/server/http_connection.ts",
    before: "if (rest.length === 0) return;",
    after: "if (false) return;",
    reason: "holding or reading no bytes only takes time",
  },
  {
    file: "src/server/http_connection.ts",
    before: "if (rest.length === 0) return;",
    after: "if (rest.length === (-1)) return;",
    reason: "holding or reading no bytes only takes time",
  },
  {
    file: "src/server/server_connection.ts",
    before:
      "if (this.handler !== null) (this.#lifetime ??= new Lifetime()).end(unclosed(by, undefined));",
    after: "if (true) (this.#lifetime ??= new Lifetime()).end(unclosed(by, undefined));",
    reason: "without a handler, nobody can read the end",
  },
  {
    file: "src/server/server_connection.ts",
    before: "if (this.match !== null) {",
    after: "if (true) {",
    reason: "the handler is one of a match",
  },
  {
    file: "src/server/server_connection.ts",
    before: "if (!this.#hasOnClose) {",
    after: "if (false) {",
    reason: "the inherited onClose() does nothing, which only takes time",
  },
  {
    file: "src/server/opening.ts",
    before: "if (limits !== context.settings) {",
    after: "if (true) {",
    reason: "a copy of the environment is the same",
  },
  {
    file: "src/server/opening.ts",
    before: "if (this.#challenge === null) return;",
    after: "if (false) return;",
    reason: "the state key3 has a challenge",
  },
  {
    file: "src/connection/reader.ts",
    before: "this.#parse(held, true);",
    after: "this.#parse(held, false);",
    reason: "messages are copies then, which only takes time",
  },
];
