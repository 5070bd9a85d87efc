/**
 * Mutants that no test can find, because they behave like the source.
 *
 * @module
 */
import type { Mutant } from "./mutants.ts";

/** Mutants of a line, and why they are equivalent. */
export interface Equivalent extends Pick<Mutant, "file" | "before"> {
  /** The line with the mistake, or with each of several mistakes. */
  readonly after: string | readonly string[];
  /** The line above. Needed only if the source has the line more than once. */
  readonly above?: string;
  readonly reason: string;
}

/** All known equivalent mutants. A test checks that the sources still have these lines. */
export const EQUIVALENT: readonly Equivalent[] = [
  {
    file: "src/handshake/head_reader.ts",
    before: "if (earlier === undefined || earlier.length < size) {",
    after: "if (earlier === undefined || earlier.length <= size) {",
    reason: "larger memory than needed only takes time",
  },
  {
    file: "src/handshake/request_rules.ts",
    before: "if (host !== undefined && host === validHost && head.hasOriginForm) return host;",
    after: "if (false) return host;",
    reason: "a host that was valid before is checked again; the check only saves time",
  },
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
    file: "src/server/path_pattern.ts",
    before: 'if (prefix === null || suffix === null || this.#peek() !== "}") return null;',
    after: 'if (prefix === null && suffix === null || this.#peek() !== "}") return null;',
    reason: "where no text can be read, no } follows",
  },
  {
    file: "src/server/trusted_proxy.ts",
    before: "if (this.isEmpty) return false;",
    after: "if (false) return false;",
    reason: "an empty list has no address; the check only saves time",
  },
  {
    file: "src/server/connection_limits.ts",
    above: "this.#counted.delete(key);",
    before: "const count = this.#counts.get(hostname) ?? 0;",
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
  {
    file: "src/protocol/outgoing_frame.ts",
    before: "const ROOMY = 16 * 1024;",
    after: [
      "const ROOMY = 17 * 1024;",
      "const ROOMY = 15 * 1024;",
      "const ROOMY = 16 / 1024;",
      "const ROOMY = 16 * 1025;",
      "const ROOMY = 16 * 1023;",
    ],
    reason: "both ways write the same bytes",
  },
  {
    file: "src/protocol/outgoing_frame.ts",
    before:
      "const at = output.reserve(MAX_HEADER_SIZE + (message.length <= ROOMY ? message.length * 3 : 0));",
    after: [
      "const at = output.reserve(MAX_HEADER_SIZE + (true ? message.length * 3 : 0));",
      "const at = output.reserve(MAX_HEADER_SIZE + (message.length <= ROOMY ? message.length * 4 : 0));",
      "const at = output.reserve(MAX_HEADER_SIZE + (message.length <= ROOMY ? message.length * 3 : 1));",
      "const at = output.reserve(MAX_HEADER_SIZE + (message.length <= ROOMY ? message.length * 3 : (-1)));",
    ],
    reason: "at most a byte less than a header with 14 bytes, which a long text does not have",
  },
  {
    file: "src/protocol/outgoing_frame.ts",
    before: "const length = message.length > ROOMY",
    after: "const length = true",
    reason: "both ways write the same bytes",
  },
  {
    file: "src/protocol/text_codec.ts",
    before: "if (length > LONGEST_LOOP) return text.encode(message, bytes, at);",
    after: [
      "if (true) return text.encode(message, bytes, at);",
      "if (false) return text.encode(message, bytes, at);",
      "if (length >= LONGEST_LOOP) return text.encode(message, bytes, at);",
    ],
    reason: "the same result, in more or less time",
  },
  {
    file: "src/protocol/text_codec.ts",
    before: "if (unit >= 0x80) return text.encode(message, bytes, at);",
    after: [
      "if (true) return text.encode(message, bytes, at);",
      "if (unit >= 127) return text.encode(message, bytes, at);",
    ],
    reason: "the same result, in more or less time",
  },
  {
    file: "src/protocol/text_codec.ts",
    before: "const spare = output.bytes.length - output.length - (length - from) - 1;",
    after: [
      "const spare = output.bytes.length - output.length - (length + from) - 1;",
      "const spare = output.bytes.length - output.length - (length - from) - 2;",
    ],
    reason: "only the sizes of the parts differ, which are joined",
  },
  {
    file: "src/protocol/text_codec.ts",
    before: "to = Math.min(length, from + Math.max(part, spare >> 1));",
    after: "to = Math.min(length, from + Math.max(part, spare >> 2));",
    reason: "only the sizes of the parts differ, which are joined",
  },
  {
    file: "src/protocol/text_codec.ts",
    before: "const at = output.reserve(length - from + (to - from) * 2 + 1);",
    after: "const at = output.reserve(length - from + (to - from) * 2 + 0);",
    reason: "how much is reserved in advance",
  },
  {
    file: "src/protocol/text_batch.ts",
    before: "if (at < 0 || at === length) return at;",
    after: [
      "if (false) return at;",
      "if (at <= 0 || at === length) return at;",
      "if (at < 1 || at === length) return at;",
      "if (at < (-1) || at === length) return at;",
      "if (at < 0 && at === length) return at;",
    ],
    reason: "the next batch is empty, or the rest is received in another one",
  },
  {
    file: "src/protocol/text_batch.ts",
    before: "if (end + HEADER_SIZE > chunk.length || chunk[end] !== WHOLE_TEXT) break;",
    after: "if (end + HEADER_SIZE >= chunk.length || chunk[end] !== WHOLE_TEXT) break;",
    reason: "a text that is not in the batch is received alone, which is only slower",
  },
  {
    file: "src/protocol/text_batch.ts",
    before: "if (length < 0 || length > longest || next > chunk.length) break;",
    after: [
      "if (length <= 0 || length > longest || next > chunk.length) break;",
      "if (length < 1 || length > longest || next > chunk.length) break;",
      "if (length < 0 || length >= longest || next > chunk.length) break;",
    ],
    reason: "a text that is not in the batch is received alone, which is only slower",
  },
  {
    file: "src/protocol/mask.ts",
    before: "const simdFrom = simd === undefined ? Infinity : SIMD_FROM;",
    after: "const simdFrom = false ? Infinity : SIMD_FROM;",
    reason: "both ways mask the same bytes; the tested runtimes have WebAssembly",
  },
  {
    file: "src/protocol/mask.ts",
    before: "export const scratch: Uint8Array = simd?.window ?? new Uint8Array(0);",
    after: [
      "export const scratch: Uint8Array = simd?.window ?? new Uint8Array(1);",
      "export const scratch: Uint8Array = simd?.window ?? new Uint8Array((-1));",
    ],
    reason: "only needed without WebAssembly, which the tested runtimes have",
  },
  {
    file: "src/protocol/mask.ts",
    before:
      "if (target !== window) target.set(size === step ? window : window.subarray(0, size), at);",
    after: [
      "if (true) target.set(size === step ? window : window.subarray(0, size), at);",
      "if (target !== window) target.set(false ? window : window.subarray(0, size), at);",
    ],
    reason: "copying to the same place, or by a view, only takes time",
  },
  {
    file: "src/protocol/hixie.ts",
    before: "const NEAR = 192;",
    after: [
      "const NEAR = 193;",
      "const NEAR = 191;",
    ],
    reason: "the end is found by either search",
  },
  {
    file: "src/protocol/hixie.ts",
    before: "const SMALL = 2048;",
    after: [
      "const SMALL = 2049;",
      "const SMALL = 2047;",
    ],
    reason: "both ways write the same bytes",
  },
  {
    file: "src/protocol/hixie.ts",
    before: "const VIEWED_FROM = 192;",
    after: [
      "const VIEWED_FROM = 193;",
      "const VIEWED_FROM = 191;",
    ],
    reason: "the same result, in more or less time",
  },
  {
    file: "src/protocol/hixie.ts",
    before: "this.view = chunk.length < VIEWED_FROM",
    after: [
      "this.view = true",
      "this.view = false",
      "this.view = chunk.length <= VIEWED_FROM",
      "this.view = chunk.length >= VIEWED_FROM",
    ],
    reason: "the same result, in more or less time",
  },
  {
    file: "src/protocol/hixie.ts",
    before: "for (let size = WINDOW;; size *= 8) {",
    after: [
      "for (let size = WINDOW;; size *= 9) {",
      "for (let size = WINDOW;; size *= 7) {",
    ],
    reason: "the same result, in more or less time",
  },
  {
    file: "src/protocol/hixie.ts",
    before: "if (end > this.#end) this.#move(start, WINDOW);",
    after: "if (end >= this.#end) this.#move(start, WINDOW);",
    reason: "the same result, in more or less time",
  },
  {
    file: "src/protocol/hixie.ts",
    before: "if (message.length <= SMALL) writeSmall(output, message);",
    after: [
      "if (false) writeSmall(output, message);",
      "if (message.length < SMALL) writeSmall(output, message);",
    ],
    reason: "both ways write the same bytes",
  },
  {
    file: "src/protocol/hixie.ts",
    before: "if (!isNear) end = near < chunk.length ? read.find(start) : -1;",
    after: [
      "if (!isNear) end = true ? read.find(start) : -1;",
      "if (!isNear) end = near <= chunk.length ? read.find(start) : -1;",
      "if (!isNear) end = near < chunk.length ? read.find(start) : -2;",
    ],
    reason: "the search finds no end either; any negative number says so",
  },
  {
    file: "src/protocol/utf8.ts",
    before: "const CALL_FROM = 64;",
    after: [
      "const CALL_FROM = 65;",
      "const CALL_FROM = 63;",
    ],
    reason: "both ways have the same result",
  },
  {
    file: "src/protocol/utf8.ts",
    before: "const table = new Uint8Array((REJECTED + 1) << 8).fill(REJECTED);",
    after: [
      "const table = new Uint8Array((REJECTED + 2) << 8).fill(REJECTED);",
      "const table = new Uint8Array((REJECTED + 1) << 9).fill(REJECTED);",
    ],
    reason: "the table has unused places",
  },
  {
    file: "src/protocol/utf8.ts",
    before: "if (end - start < CALL_FROM) return checkByTable(bytes, start, end, state);",
    after: [
      "if (true) return checkByTable(bytes, start, end, state);",
      "if (end - start <= CALL_FROM) return checkByTable(bytes, start, end, state);",
    ],
    reason: "both ways have the same result",
  },
  {
    file: "src/protocol/utf8.ts",
    before: "if (end - start >= LOOP_BELOW) return text.latin1(bytes, start, end);",
    after: [
      "if (true) return text.latin1(bytes, start, end);",
      "if (false) return text.latin1(bytes, start, end);",
      "if (end + start >= LOOP_BELOW) return text.latin1(bytes, start, end);",
      "if (end - start > LOOP_BELOW) return text.latin1(bytes, start, end);",
    ],
    reason: "both ways decode the same text",
  },
  {
    file: "src/protocol/utf8.ts",
    before: "return end - start < CALL_FROM",
    after: [
      "return true",
      "return false",
      "return end + start < CALL_FROM",
      "return end - start <= CALL_FROM",
      "return end - start >= CALL_FROM",
    ],
    reason: "both ways decode the same text",
  },
  {
    file: "src/protocol/zlib.ts",
    before: "const NO_BUFFER = { chunkSize: 64 };",
    after: "const NO_BUFFER = { chunkSize: 65 };",
    reason: "the size of a buffer that is not used",
  },
  {
    file: "src/protocol/zlib.ts",
    before: "free = 0;",
    after: [
      "free = 1;",
      "free = (-1);",
    ],
    reason: "each write sets it",
  },
  {
    file: "src/protocol/zlib.ts",
    before: "rest = 0;",
    after: [
      "rest = 1;",
      "rest = (-1);",
    ],
    reason: "each write sets it",
  },
  {
    file: "src/protocol/zlib.ts",
    before: "const INCOMPRESSIBLE = Uint8Array.from({ length: 64 }, (_, i) => i * 37 % 251);",
    after: [
      "const INCOMPRESSIBLE = Uint8Array.from({ length: 65 }, (_, i) => i * 37 % 251);",
      "const INCOMPRESSIBLE = Uint8Array.from({ length: 63 }, (_, i) => i * 37 % 251);",
      "const INCOMPRESSIBLE = Uint8Array.from({ length: 64 }, (_, i) => i * 38 % 251);",
      "const INCOMPRESSIBLE = Uint8Array.from({ length: 64 }, (_, i) => i * 36 % 251);",
      "const INCOMPRESSIBLE = Uint8Array.from({ length: 64 }, (_, i) => i * 37 % 252);",
      "const INCOMPRESSIBLE = Uint8Array.from({ length: 64 }, (_, i) => i * 37 % 250);",
    ],
    reason: "these bytes cannot be compressed either",
  },
  {
    file: "src/protocol/zlib.ts",
    before: "const output = new Uint8Array(2 * INCOMPRESSIBLE.length);",
    after: "const output = new Uint8Array(3 * INCOMPRESSIBLE.length);",
    reason: "there is room for more",
  },
  {
    file: "src/protocol/zlib.ts",
    before: "const [fresh, output] = [deflate(), new Uint8Array(INCOMPRESSIBLE.length + 1)];",
    after: "const [fresh, output] = [deflate(), new Uint8Array(INCOMPRESSIBLE.length + 2)];",
    reason: "there is room for more",
  },
  {
    file: "src/protocol/zlib.ts",
    before: "const isRefused = !inflating.write(Uint8Array.of(0xff), 0, new Uint8Array(1));",
    after: "const isRefused = !inflating.write(Uint8Array.of(0xff), 0, new Uint8Array(2));",
    reason: "the type of a block is refused before there is output",
  },
  {
    file: "src/protocol/deflater.ts",
    before: "output = new Uint8Array(Math.max(scratch.length, payload.length >> 2));",
    after: [
      "output = new Uint8Array(Math.max(scratch.length, payload.length << 2));",
      "output = new Uint8Array(Math.max(scratch.length, payload.length >> 3));",
    ],
    reason: "only the sizes of the parts differ, which are joined",
  },
  {
    file: "src/protocol/deflater.ts",
    before: "if (stream.free > 0) return parts.length === 0 ? part : concat(...parts, part);",
    after: "if (stream.free > 0) return false ? part : concat(...parts, part);",
    reason: "a copy of the same bytes",
  },
  {
    file: "src/protocol/incoming_message.ts",
    before: "#announced = 0;",
    after: [
      "#announced = 1;",
      "#announced = (-1);",
    ],
    reason: "each frame sets it",
  },
  {
    file: "src/protocol/incoming_message.ts",
    before: "#isLast = false;",
    after: "#isLast = true;",
    reason: "each frame sets it",
  },
  {
    file: "src/protocol/incoming_message.ts",
    before: "#orOfBytes = 0;",
    after: "#orOfBytes = 1;",
    reason: "it is compared with 0x80 only",
  },
  {
    file: "src/protocol/incoming_message.ts",
    before: "if (orOfBytes < 0x80 && this.#utf8 === COMPLETE) return;",
    after: "if (orOfBytes < 127 && this.#utf8 === COMPLETE) return;",
    reason: "checking ASCII only takes time",
  },
  {
    file: "src/protocol/incoming_message.ts",
    before: "const text = this.#orOfBytes < 0x80",
    after: [
      "const text = false",
      "const text = this.#orOfBytes < 127",
    ],
    reason: "the same result, in more or less time",
  },
  {
    file: "src/protocol/incoming_message.ts",
    before: "const bytes = this.#bytes ?? new Uint8Array(0);",
    after: "const bytes = this.#bytes ?? new Uint8Array(1);",
    reason: "a message without bytes gets none of it",
  },
  {
    file: "src/handshake/request_line.ts",
    before: "#start = 0;",
    after: [
      "#start = 1;",
      "#start = (-1);",
    ],
    reason: "the first line sets it before the head is made",
  },
  {
    file: "src/handshake/request_line.ts",
    before: "#methodEnd = 0;",
    after: [
      "#methodEnd = 1;",
      "#methodEnd = (-1);",
    ],
    reason: "the first line sets it before the head is made",
  },
  {
    file: "src/handshake/request_line.ts",
    before: "#targetEnd = 0;",
    after: [
      "#targetEnd = 1;",
      "#targetEnd = (-1);",
    ],
    reason: "the first line sets it before the head is made",
  },
  {
    file: "src/protocol/piece_decoder.ts",
    before: "const MAX_CHARACTER_SIZE = 4;",
    after: "const MAX_CHARACTER_SIZE = 5;",
    reason: "no character is longer than four bytes",
  },
  {
    file: "src/protocol/piece_decoder.ts",
    before: "const first = Math.max(start, end - (MAX_CHARACTER_SIZE - 1));",
    after: "const first = Math.max(start, end - (MAX_CHARACTER_SIZE - 0));",
    reason: "no character is longer than four bytes",
  },
  {
    file: "src/protocol/piece_decoder.ts",
    before: "if (whole < end) this.#kept = new Uint8Array(bytes.subarray(whole, end));",
    after: [
      "if (true) this.#kept = new Uint8Array(bytes.subarray(whole, end));",
      "if (whole <= end) this.#kept = new Uint8Array(bytes.subarray(whole, end));",
    ],
    reason: "keeping no bytes only takes time",
  },
  {
    file: "src/protocol/piece_inflater.ts",
    before: "rest = 0;",
    after: "rest = (-1);",
    reason: "each step sets it, and none is owed before",
  },
  {
    file: "src/protocol/text_batch.ts",
    before: "if (mask(chunk, begin, next, maskingKey, read.viewIfMoreThan(next)) >= 0x80) {",
    after: "if (mask(chunk, begin, next, maskingKey, read.viewIfMoreThan(next)) >= 127) {",
    reason: "ASCII is decoded as UTF-8 then",
  },
  {
    file: "src/connection/cork.ts",
    before: "waitingCount = 0;",
    after: "waitingCount = 1;",
    reason: "an empty place is skipped",
  },
  {
    file: "src/connection/keepalive.ts",
    before: "#congestedAt = 0;",
    after: [
      "#congestedAt = 1;",
      "#congestedAt = (-1);",
    ],
    reason: "the beginning of a congestion sets it, before its end reads it",
  },
  {
    file: "src/connection/keepalive.ts",
    before: 'this.#watch = pings && limits.pingInterval > 0 ? "always" : "never";',
    after: 'this.#watch = pings && limits.pingInterval > 0 ? "" : "never";',
    reason: "it is compared with the two others only",
  },
  {
    file: "src/connection/writer.ts",
    before: 'const payload = typeof message === "string" ? message : toPayload(message);',
    after: "const payload = false ? message : toPayload(message);",
    reason: "toPayload returns a string as it is, after a check that takes time",
  },
  {
    file: "src/protocol/hybi.ts",
    before: "isText ? sink.text(decodeText(bytes, 0, bytes.length, 0x80)) : sink.binary(bytes),",
    after: "isText ? sink.text(decodeText(bytes, 0, bytes.length, 129)) : sink.binary(bytes),",
    reason: "it is compared with 0x80 only",
  },
  {
    file: "src/connection/inbox.ts",
    before: "else if (this.#next >= 1024 && this.#next * 2 > this.#events.length) {",
    after: [
      "else if (false) {",
      "else if (this.#next >= 1025 && this.#next * 2 > this.#events.length) {",
      "else if (this.#next >= 1023 && this.#next * 2 > this.#events.length) {",
    ],
    reason: "only how long an array keeps the places of events that were taken",
  },
  {
    file: "src/connection/reader.ts",
    before: 'this.#pause = this.#writer?.congested ? "output" : "input";',
    after: 'this.#pause = this.#writer?.congested ? "" : "input";',
    reason: "it is compared with the other states only",
  },
  {
    file: "src/connection/keepalive.ts",
    before: "#flushedBefore = -1;",
    after: [
      "#flushedBefore = 1;",
      "#flushedBefore = -2;",
      "#flushedBefore = -0;",
    ],
    reason: "the first tick counts as traffic in any case",
  },
  {
    file: "src/connection/keepalive.ts",
    before: "next = 0;",
    after: "next = (-1);",
    reason: "the constructor sets it",
  },
  {
    file: "src/connection/keepalive.ts",
    before: "tick(time: number, flow: Flow, flushedBytes = 0): KeepaliveAction {",
    after: [
      "tick(time: number, flow: Flow, flushedBytes = 1): KeepaliveAction {",
      "tick(time: number, flow: Flow, flushedBytes = (-1)): KeepaliveAction {",
    ],
    reason: "it is given wherever output may stall",
  },
  {
    file: "src/connection/cork.ts",
    before: "mostPatience = 0;",
    after: ["mostPatience = 1;", "mostPatience = (-1);"],
    reason: "it is set before it is used",
  },
  {
    file: "src/connection/cork.ts",
    before: "if (state.depth === 0) schedule();",
    after: "if (true) schedule();",
    reason: "an additional microtask finds nothing to send",
  },
  {
    file: "src/connection/cork.ts",
    before: "for (let i = 0; i < state.waitingCount; i++) {",
    after: "for (let i = 0; i <= state.waitingCount; i++) {",
    reason: "an empty place is skipped",
  },
  {
    file: "src/connection/cork.ts",
    before: "state.waitingCount = 0;",
    after: "state.waitingCount = 1;",
    reason: "an empty place is skipped",
  },
  {
    file: "src/connection/cork.ts",
    before:
      "if (--state.depth === 0 && state.waitingCount !== 0 && state.patience === 0) flushAll();",
    after:
      "if (--state.depth === 0 && state.waitingCount !== (-1) && state.patience === 0) flushAll();",
    reason: "nothing is sent if nothing waits",
  },
  {
    file: "src/connection/cork.ts",
    before: "state.isScheduled = true;",
    after: "state.isScheduled = false;",
    reason: "an additional microtask finds nothing to send",
  },
  {
    file: "src/connection/reader.ts",
    before: 'this.#pause = this.#pause === "input" ? "over" : "none";',
    after: 'this.#pause = this.#pause === "input" ? "over" : "";',
    reason: "it is compared with the other states only",
  },
  {
    file: "src/connection/reader.ts",
    before: 'this.#pause = "none";',
    after: 'this.#pause = "";',
    reason: "it is compared with the other states only",
  },
  {
    file: "src/connection/reader.ts",
    before: '#pause: Pause = "none";',
    after: '#pause: Pause = "";',
    reason: "it is compared with the other states only",
  },
  {
    file: "src/connection/writer.ts",
    before: 'const payload = typeof message === "string" ? message : toPayload(message);',
    after: 'const payload = typeof message === "" ? message : toPayload(message);',
    reason: "toPayload returns a string as it is, after a check that takes time",
  },
  {
    file: "src/server/request_checks.ts",
    before: "if (head === null) return challenge;",
    after: [
      "if (false) return challenge;",
      "if (head === null) return undefined;",
    ],
    reason: "a handshake has a head",
  },
  {
    file: "src/server/request_checks.ts",
    before: "const origin = head === null ? undefined : originOf(head, version);",
    after: "const origin = false ? undefined : originOf(head, version);",
    reason: "a handshake has a head",
  },
  {
    file: "src/server/request_checks.ts",
    before: 'context.limitedLog.write("origin", `Refused a handshake: ${because}`);',
    after: 'context.limitedLog.write("", `Refused a handshake: ${because}`);',
    reason: "any other name is a kind of its own",
  },
  {
    file: "src/server/request_checks.ts",
    before: 'context.limitedLog.write("handshake", `${what}: ${because}`);',
    after: 'context.limitedLog.write("", `${what}: ${because}`);',
    reason: "any other name is a kind of its own",
  },
  {
    file: "src/server/http1_responder.ts",
    before:
      'if (head === null) throw new TypeError("Cannot answer a handshake: no request has arrived");',
    after: 'if (false) throw new TypeError("Cannot answer a handshake: no request has arrived");',
    reason: "a handshake has a head",
  },
  {
    file: "src/server/requesting_client.ts",
    before: 'version: WebSocketVersion = "rfc6455";',
    after: 'version: WebSocketVersion = "";',
    reason: "it is read after the request has set it",
  },
  {
    file: "src/server/handshake_rates.ts",
    before: "const MAX_ADDRESSES = 65_536;",
    after: [
      "const MAX_ADDRESSES = 65537;",
      "const MAX_ADDRESSES = 65535;",
    ],
    reason: "the memory of one address more or less",
  },
  {
    file: "src/server/plain_response.ts",
    before: '(url, init) => new ServedRequest(url, { ...init, body, ...{ duplex: "half" } }),',
    after: '(url, init) => new ServedRequest(url, { ...init, body, ...{ duplex: "" } }),',
    reason: "Bun, on which mutants are tested, does not look at it",
  },
  {
    file: "src/server/opening.ts",
    before: 'if (version !== "draft76") return this.#done(held, true, deflate);',
    after: 'if (version !== "draft76") return this.#done(held, false, deflate);',
    reason: "messages are copies then, which only takes time",
  },
  {
    file: "src/server/opening.ts",
    before: "this.#readKey3(held, true);",
    after: "this.#readKey3(held, false);",
    reason: "messages are copies then, which only takes time",
  },
  {
    file: "src/connection/outgoing_message.ts",
    before: 'if (this.#half !== "") this.#append(writer, pieces, this.#half);',
    after: "if (true) this.#append(writer, pieces, this.#half);",
    reason: "an empty piece writes nothing",
  },
  {
    file: "src/connection/held_bytes.ts",
    before: "const bytes = new Uint8Array(this.#length === 0 ? needed : needed + (needed >> 1));",
    after: [
      "const bytes = new Uint8Array(false ? needed : needed + (needed >> 1));",
      "const bytes = new Uint8Array(this.#length === 1 ? needed : needed + (needed >> 1));",
    ],
    reason: "there may be room for half as many bytes more",
  },
  {
    file: "src/protocol/hybi.ts",
    before: "return this.#ended ? chunk.length : at < 0 ? ~at : at;",
    after: "return this.#ended ? chunk.length : at < (-1) ? ~at : at;",
    reason: "the complement of an offset after a header",
  },
  {
    file: "src/protocol/hybi.ts",
    before: "return goesOn || after < 0 ? after : ~after;",
    after: [
      "return goesOn || after <= 0 ? after : ~after;",
      "return goesOn || after < 1 ? after : ~after;",
      "return goesOn || after < (-1) ? after : ~after;",
    ],
    reason: "the offset after a header, or its complement",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: "if (size > 32) this.#bytes.set(chunk.subarray(at, at + size), this.#length);",
    after: [
      "if (true) this.#bytes.set(chunk.subarray(at, at + size), this.#length);",
      "if (size >= 32) this.#bytes.set(chunk.subarray(at, at + size), this.#length);",
      "if (size > 33) this.#bytes.set(chunk.subarray(at, at + size), this.#length);",
      "if (size > 31) this.#bytes.set(chunk.subarray(at, at + size), this.#length);",
    ],
    reason: "both ways copy the same bytes",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: "if (text.isAscii(chunk.subarray(at))) return -1;",
    after: "if (text.isAscii(chunk.subarray(at))) return -2;",
    reason: "any negative number says that there is none",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: "return far < 0 ? -1 : at + PROBE + far;",
    after: "return far < 0 ? -2 : at + PROBE + far;",
    reason: "any negative number says that there is none",
  },
  {
    file: "src/protocol/inflater.ts",
    before: "this.#size = this.#at = 0;",
    after: "this.#size = this.#at = 1;",
    reason: "a byte of history to which no valid message refers",
  },
  {
    file: "src/protocol/hixie.ts",
    before: "while (at < end && chunk[at] as number < 0x80) at++; // in range",
    after: "while (at <= end && chunk[at] as number < 0x80) at++; // in range",
    reason: "the search goes on behind it in any case",
  },
  {
    file: "src/protocol/incoming_message.ts",
    before: "if (!this.#isLast) capacity = Math.max(capacity, FIRST, 2 * (bytes?.length ?? 0));",
    after: [
      "if (!this.#isLast) capacity = Math.max(capacity, FIRST, 2 * (bytes?.length ?? 1));",
      "if (!this.#isLast) capacity = Math.max(capacity, FIRST, 2 * (bytes?.length ?? (-1)));",
    ],
    reason: "FIRST is larger",
  },
  {
    file: "src/protocol/text_codec.ts",
    before: "for (let i = 0; i < length; i++) {",
    after: "for (let i = 0; i <= length; i++) {",
    reason: "the byte behind the text is written next, or not used",
  },
  {
    file: "src/handshake/host.ts",
    before: 'const decoded = label.startsWith("xn--") ? decodePunycode(label.slice(4)) : label;',
    after: "const decoded = false ? decodePunycode(label.slice(4)) : label;",
    reason: "Bun, on which mutants are tested, refuses such a label itself",
  },
  {
    file: "src/handshake/latin1.ts",
    before: "if (slice === undefined) return portable;",
    after: "if (true) return portable;",
    reason: "both decode the same text",
  },
  {
    file: "src/protocol/hixie.ts",
    before: "if (start < this.#end) {",
    after: "if (start <= this.#end) {",
    reason: "nothing is found at the end of the window",
  },
  {
    file: "src/protocol/hixie.ts",
    before: "this.#at = at < 0 ? ~at : at;",
    after: "this.#at = at < 1 ? ~at : at;",
    reason: "the offset after at least one byte, or its complement",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: "while (size < atLeast) size *= 4;",
    after: "while (size < atLeast) size *= 3;",
    reason: "the same text is decoded in parts of another size",
  },
  {
    file: "src/protocol/inflater.ts",
    before: "const LARGEST_WINDOW = 32 * 1024;",
    after: "const LARGEST_WINDOW = 33 * 1024;",
    reason: "there is room for more",
  },
  {
    file: "src/protocol/inflater.ts",
    before: "const LARGEST_WINDOW = 32 * 1024;",
    after: "const LARGEST_WINDOW = 32 * 1025;",
    reason: "there is room for more",
  },
  {
    file: "src/protocol/inflater.ts",
    before: "export const WINDOW_SCRATCH_SIZE: number = 2 * (HEADER_SIZE + LARGEST_WINDOW);",
    after: "export const WINDOW_SCRATCH_SIZE: number = 3 * (HEADER_SIZE + LARGEST_WINDOW);",
    reason: "there is room for more",
  },
  {
    file: "src/protocol/inflater.ts",
    before: "const kept = bytes.length <= length ? bytes : bytes.subarray(bytes.length - length);",
    after: "const kept = bytes.length < length ? bytes : bytes.subarray(bytes.length - length);",
    reason: "a view of the last bytes of the window's size has them all",
  },
  {
    file: "src/protocol/inflater.ts",
    before:
      "this.#parts = [scratch.length <= maxSize ? scratch : scratch.subarray(0, maxSize + 1)];",
    after: [
      "this.#parts = [false ? scratch : scratch.subarray(0, maxSize + 1)];",
      "this.#parts = [scratch.length < maxSize ? scratch : scratch.subarray(0, maxSize + 1)];",
    ],
    reason: "a view of all bytes has them all",
  },
  {
    file: "src/protocol/inflater.ts",
    before: "return this.#used === 0 ? last : last.subarray(this.#used);",
    after: "return false ? last : last.subarray(this.#used);",
    reason: "a view of all bytes has them all",
  },
  {
    file: "src/protocol/inflater.ts",
    before: "const isDone = this.rest === 0 && !this.isFull;",
    after: [
      "const isDone = this.rest === 1 && !this.isFull;",
      "const isDone = this.rest === (-1) && !this.isFull;",
    ],
    reason: "keeping a window that is not used only takes time",
  },
  {
    file: "src/protocol/inflater.ts",
    before: "return input.subarray(0, size);",
    after: "return undefined;",
    reason: "zlib gets the same bytes in two calls",
  },
  {
    file: "src/protocol/inflater.ts",
    before: "if (size > input.length) return undefined;",
    after: ["if (size >= input.length) return undefined;", "if (true) return undefined;"],
    reason: "zlib gets the same bytes in two calls",
  },
  {
    file: "src/protocol/inflater.ts",
    before: "#lastBlocks = 0;",
    after: "#lastBlocks = (-1);",
    reason: "the first message sets it, which asks before only whether it is above 0",
  },
  {
    file: "src/protocol/inflater.ts",
    above:
      "/** The compressed size of the current message; for a message in steps, how much was read so far. */",
    before: "#size = 0;",
    after: [
      "#size = 1;",
      "#size = (-1);",
    ],
    reason: "each message sets it",
  },
  {
    file: "src/protocol/inflater.ts",
    before: "#isInSteps = false;",
    after: "#isInSteps = true;",
    reason: "each message sets it",
  },
  {
    file: "src/protocol/inflater.ts",
    before: "rest = 0;",
    after: [
      "rest = 1;",
      "rest = (-1);",
    ],
    reason: "each step sets it",
  },
  {
    file: "src/protocol/inflater.ts",
    before: "isFull = false;",
    after: "isFull = true;",
    reason: "each step sets it",
  },
  {
    file: "src/protocol/zlib.ts",
    before: "const INCOMPRESSIBLE = Uint8Array.from({ length: 64 }, (_, i) => i * 37 % 251);",
    after: "const INCOMPRESSIBLE = Uint8Array.from({ length: 64 }, (_, i) => i * 37 * 251);",
    reason: "these bytes cannot be compressed either",
  },
  {
    file: "src/protocol/zlib.ts",
    before: "const [fresh, output] = [deflate(), new Uint8Array(INCOMPRESSIBLE.length + 1)];",
    after: "const [fresh, output] = [deflate(), new Uint8Array(INCOMPRESSIBLE.length + 0)];",
    reason: "the message has just this size",
  },
  {
    file: "src/protocol/zlib.ts",
    before: "const isRefused = !inflating.write(Uint8Array.of(0xff), 0, new Uint8Array(1));",
    after: "const isRefused = !inflating.write(Uint8Array.of(254), 0, new Uint8Array(1));",
    reason: "this begins a block of type 3, too",
  },
  {
    file: "src/protocol/zlib.ts",
    before: "return again.length * 2 < first.length && fresh.length === first.length &&",
    after: "return again.length * 2 <= first.length && fresh.length === first.length &&",
    reason: "the second copy takes a few bytes with a window, and as many as the first without",
  },
  {
    file: "src/protocol/zlib.ts",
    before: "return again.length * 2 < first.length && fresh.length === first.length &&",
    after: "return again.length * 1 < first.length && fresh.length === first.length &&",
    reason: "the second copy takes a few bytes with a window, and as many as the first without",
  },
  {
    file: "src/protocol/zlib.ts",
    before: "return again.length * 2 < first.length && fresh.length === first.length &&",
    after: "return again.length * 3 < first.length && fresh.length === first.length &&",
    reason: "the second copy takes a few bytes with a window, and as many as the first without",
  },
  {
    file: "src/handshake/extended_connect.ts",
    before: 'checkNoBody(head, "rfc6455");',
    after: 'checkNoBody(head, "");',
    reason: "the versions other than the drafts are treated alike",
  },
  {
    file: "src/handshake/proxy_protocol.ts",
    before: "const MAX_V2 = FIXED_V2 + 0xffff;",
    after: "const MAX_V2 = FIXED_V2 + 65536;",
    reason: "only how many bytes after the header are held, which nobody reads",
  },
  {
    file: "src/handshake/proxy_protocol.ts",
    before: "this.#push(chunk.subarray(0, MAX_V2 - before));",
    after: "this.#push(chunk.subarray(0, MAX_V2 + before));",
    reason: "only how many bytes after the header are held, which nobody reads",
  },
  {
    file: "src/handshake/proxy_protocol.ts",
    before: "consumed = 0;",
    after: [
      "consumed = 1;",
      "consumed = (-1);",
    ],
    reason: "it is set before the header is returned",
  },
  {
    file: "src/handshake/proxy_protocol.ts",
    before: "if (needed > this.#bytes.length) {",
    after: [
      "if (needed >= this.#bytes.length) {",
      "if (true) {",
    ],
    reason: "the same bytes in other memory",
  },
  {
    file: "src/handshake/proxy_protocol.ts",
    before: "const bytes = new Uint8Array(needed * 2);",
    after: [
      "const bytes = new Uint8Array(needed * 1);",
      "const bytes = new Uint8Array(needed * 3);",
    ],
    reason: "the same bytes in other memory",
  },
  {
    file: "src/handshake/proxy_protocol.ts",
    before: "const [command, family] = bytes.subarray(12, 14);",
    after: "const [command, family] = bytes.subarray(12, 15);",
    reason: "only the first two bytes are taken",
  },
  {
    file: "src/handshake/proxy_protocol.ts",
    before: "const at = FIXED_V2 + (ADDRESS_LENGTHS.get(family) ?? 0);",
    after: [
      "const at = FIXED_V2 + (ADDRESS_LENGTHS.get(family) ?? 1);",
      "const at = FIXED_V2 + (ADDRESS_LENGTHS.get(family) ?? (-1));",
    ],
    reason: "lengthV2 has refused other families",
  },
  {
    file: "src/handshake/proxy_protocol.ts",
    before: "return { source: tcp(16, 32, 48), destination: tcp(32, 48, 50) };",
    after: [
      "return { source: tcp(16, 32, 48), destination: tcp(32, 49, 50) };",
      "return { source: tcp(16, 33, 48), destination: tcp(32, 48, 50) };",
    ],
    reason: "only the first sixteen bytes are read",
  },
  {
    file: "src/handshake/proxy_protocol.ts",
    before: "return { source: undefined, destination: undefined };",
    after: "return undefined;",
    reason: "the properties of NOTHING are undefined as well",
  },
  {
    file: "src/handshake/proxy_protocol.ts",
    before: "const end = start + (start > bytes.length ? 0 : uint16(bytes, at + 1));",
    after: "const end = start + (false ? 0 : uint16(bytes, at + 1));",
    reason: "a field whose length is cut off ends after the header in any case",
  },
  {
    file: "src/handshake/proxy_protocol.ts",
    before: "const end = start + (start > bytes.length ? 0 : uint16(bytes, at + 1));",
    after: "const end = start + (start > bytes.length ? 1 : uint16(bytes, at + 1));",
    reason: "a field whose length is cut off ends after the header in any case",
  },
  {
    file: "src/handshake/proxy_protocol.ts",
    before: "fields.push({ type: bytes[at] ?? 0, start, value: bytes.subarray(start, end) });",
    after: [
      "fields.push({ type: bytes[at] ?? (-1), start, value: bytes.subarray(start, end) });",
      "fields.push({ type: bytes[at] ?? 1, start, value: bytes.subarray(start, end) });",
    ],
    reason: "the byte is there",
  },
  {
    file: "src/handshake/proxy_protocol.ts",
    before: "return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);",
    after: [
      "return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? (-1));",
      "return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 1);",
      "return ((bytes[at] ?? (-1)) << 8) | (bytes[at + 1] ?? 0);",
      "return ((bytes[at] ?? 1) << 8) | (bytes[at + 1] ?? 0);",
    ],
    reason: "the callers have checked that both bytes are there",
  },
  {
    file: "src/handshake/proxy_protocol.ts",
    before: "const addresses = ADDRESS_LENGTHS.get(family) ?? 0;",
    after: [
      "const addresses = ADDRESS_LENGTHS.get(family) ?? (-1);",
      "const addresses = ADDRESS_LENGTHS.get(family) ?? 1;",
    ],
    reason: "another family comes only with LOCAL, whose length is not checked",
  },
  {
    file: "src/handshake/signed_value.ts",
    before: "if (colon === -1 || !/^[0-9]{1,6}$/.test(length)) return undefined;",
    after: "if (colon === 1 || !/^[0-9]{1,6}$/.test(length)) return undefined;",
    reason: "without a colon, no signature is left behind the fields",
  },
  {
    file: "src/handshake/signed_value.ts",
    before: "if (colon === -1 || !/^[0-9]{1,6}$/.test(length)) return undefined;",
    after: "if (colon === -0 || !/^[0-9]{1,6}$/.test(length)) return undefined;",
    reason: "without a colon, no signature is left behind the fields",
  },
  {
    file: "src/handshake/signed_value.ts",
    before:
      'const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, [',
    after:
      'const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, true, [',
    reason: "nobody exports the key",
  },
  {
    file: "src/handshake/socks5.ts",
    before: "const [version = 0, value = 0] = this.#received;",
    after: [
      "const [version = (-1), value = 0] = this.#received;",
      "const [version = 0, value = 1] = this.#received;",
      "const [version = 1, value = 0] = this.#received;",
      "const [version = 0, value = (-1)] = this.#received;",
    ],
    reason: "each message has two bytes at least",
  },
  {
    file: "src/protocol/close_frame.ts",
    before: 'const size = reason === "" ? 0 : encoder.encode(reason).length;',
    after: [
      'const size = reason === "" ? (-1) : encoder.encode(reason).length;',
      "const size = false ? 0 : encoder.encode(reason).length;",
      'const size = reason === "" ? 1 : encoder.encode(reason).length;',
    ],
    reason: "only whether it is above 123 matters",
  },
  {
    file: "src/protocol/close_frame.ts",
    before: 'const bytes = reason === "" ? EMPTY : encoder.encode(reason);',
    after: ["const bytes = false ? EMPTY : encoder.encode(reason);"],
    reason: "the encoder returns no bytes for an empty reason",
  },
  {
    file: "src/protocol/close_frame.ts",
    before: 'if (payload.length === 2) return { code, reason: "" };',
    after: [
      'if (false) return { code, reason: "" };',
      'if (payload.length === 1) return { code, reason: "" };',
    ],
    reason: "the decoder returns an empty reason for no bytes",
  },
  {
    file: "src/protocol/frame_header.ts",
    before: "export const MAX_HEADER_SIZE = 14;",
    after: "export const MAX_HEADER_SIZE = 15;",
    reason: "there is room for more",
  },
  {
    file: "src/protocol/frame_header.ts",
    before: "return Array.from({ length: 256 }, (_, byte) => brokenRule(rules, known(byte)));",
    after: "return Array.from({ length: 257 }, (_, byte) => brokenRule(rules, known(byte)));",
    reason: "a byte has 256 values",
  },
  {
    file: "src/protocol/frame_header.ts",
    before: "length: byte & 0x7f,",
    after: "length: byte & 126,",
    reason: "only whether it is above 125 matters",
  },
  {
    file: "src/protocol/output.ts",
    before:
      "bytes.set(this.length === this.bytes.length ? this.bytes : this.bytes.subarray(0, this.length));",
    after: [
      "bytes.set(false ? this.bytes : this.bytes.subarray(0, this.length));",
      "bytes.set(true ? this.bytes : this.bytes.subarray(0, this.length));",
    ],
    reason: "copies unused bytes or makes a view, which only takes time",
  },
  {
    file: "src/protocol/message_memory.ts",
    before: "#kept = 0;",
    after: "#kept = (-1);",
    reason: "all sizes are multiples of 512",
  },
  {
    file: "src/protocol/message_memory.ts",
    before: "if (size === 0) return;",
    after: [
      "if (false) return;",
      "if (size === (-1)) return;",
    ],
    reason: "a buffer of no bytes is never lent",
  },
  {
    file: "src/protocol/message_memory.ts",
    before: "if (this.#poisons) bytes.fill(POISON);",
    after: "if (true) bytes.fill(POISON);",
    reason: "the content of lent memory is undefined",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: "const SMALLEST = 64;",
    after: [
      "const SMALLEST = 63;",
      "const SMALLEST = 65;",
    ],
    reason: "only how much memory is taken",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: "while (size < atLeast) size *= 4;",
    after: [
      "while (size <= atLeast) size *= 4;",
      "while (size < atLeast) size *= 5;",
    ],
    reason: "only how much memory is taken",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: "if (byte < 0x80) return end;",
    after: "if (byte < 127) return end;",
    reason: "DEL is ASCII, and the bytes before it are whole characters",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before:
      "if (byte >= 0xc0) return at + (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) > end ? at : end;",
    after: "if (byte >= 0xc0) return at + (byte < 223 ? 2 : byte < 0xf0 ? 3 : 4) > end ? at : end;",
    reason: "a character that is whole may also be decoded with what follows",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before:
      "if (byte >= 0xc0) return at + (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) > end ? at : end;",
    after: "if (byte >= 0xc0) return at + (byte < 0xe0 ? 2 : byte < 239 ? 3 : 4) > end ? at : end;",
    reason: "a character that is whole may also be decoded with what follows",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before:
      "if (byte >= 0xc0) return at + (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) > end ? at : end;",
    after:
      "if (byte >= 0xc0) return at + (byte < 0xe0 ? 3 : byte < 0xf0 ? 3 : 4) > end ? at : end;",
    reason: "a character that is whole may also be decoded with what follows",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before:
      "if (byte >= 0xc0) return at + (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) > end ? at : end;",
    after:
      "if (byte >= 0xc0) return at + (byte < 0xe0 ? 2 : byte < 0xf0 ? 4 : 4) > end ? at : end;",
    reason: "a character that is whole may also be decoded with what follows",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before:
      "if (byte >= 0xc0) return at + (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) > end ? at : end;",
    after:
      "if (byte >= 0xc0) return at + (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 5) > end ? at : end;",
    reason: "a character that is whole may also be decoded with what follows",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before:
      "if (byte >= 0xc0) return at + (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) > end ? at : end;",
    after:
      "if (byte >= 0xc0) return at + (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) >= end ? at : end;",
    reason: "a character that is whole may also be decoded with what follows",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before:
      "if (byte >= 0xc0) return at + (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) > end ? at : end;",
    after: "if (byte >= 0xc0) return true ? at : end;",
    reason: "a character that is whole may also be decoded with what follows",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before:
      "if (byte >= 0xc0) return at + (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) > end ? at : end;",
    after: "if (byte > 0xc0) return at + (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) > end ? at : end;",
    reason: "C0 begins no character, and is replaced wherever it is cut",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before:
      "if (byte >= 0xc0) return at + (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) > end ? at : end;",
    after: "if (byte >= 193) return at + (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) > end ? at : end;",
    reason: "C0 begins no character, and is replaced wherever it is cut",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: "if (chunk.length - at <= PROBE) return chunk.indexOf(0xff, at);",
    after: [
      "if (chunk.length - at < PROBE) return chunk.indexOf(0xff, at);",
      "if (true) return chunk.indexOf(0xff, at);",
    ],
    reason: "the end is found by either search",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: "if (text.isAscii(chunk.subarray(at))) return -1;",
    after: "if (false) return -1;",
    reason: "the end is found by either search",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    above: "export class TextFrame implements Frame {",
    before: "ended = false;",
    after: "ended = true;",
    reason: "it is read only after bytes were received, which sets it",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    above: "export class DelimitedFrame implements Frame {",
    before: "ended = false;",
    after: "ended = true;",
    reason: "it is read only after bytes were received, which sets it",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    above: "export class LengthFrame implements Frame {",
    before: "ended = false;",
    after: "ended = true;",
    reason: "it is read only after bytes were received, which sets it",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: 'const most = this.#text === "" ? LARGEST : LATER;',
    after: [
      "const most = false ? LARGEST : LATER;",
      "const most = true ? LARGEST : LATER;",
    ],
    reason: "the same text is decoded in parts of another size",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: "if (length > this.#bytes.length) this.#grow(length);",
    after: [
      "if (length >= this.#bytes.length) this.#grow(length);",
      "if (true) this.#grow(length);",
    ],
    reason: "the same bytes in other memory",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: "if (size > 32) this.#bytes.set(chunk.subarray(at, at + size), this.#length);",
    after: "if (false) this.#bytes.set(chunk.subarray(at, at + size), this.#length);",
    reason: "both ways copy the same bytes",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: "#left = 0;",
    after: "#left = 1;",
    reason: "nothing is skipped before the last digit, which sets it",
  },
  {
    file: "src/protocol/mask.ts",
    before: "const WINDOW_AT = 2048;",
    after: [
      "const WINDOW_AT = 2047;",
      "const WINDOW_AT = 2049;",
    ],
    reason: "the window may be at another place of the memory",
  },
  {
    file: "src/protocol/mask.ts",
    before: "const WINDOW_SIZE = 31 * 4096;",
    after: "const WINDOW_SIZE = 30 * 4096;",
    reason: "the same bytes are masked in parts of another size",
  },
  {
    file: "src/protocol/mask.ts",
    above:
      "function maskBytes(bytes: Uint8Array, start: number, end: number, maskingKey: number): number {",
    before: "let orOfBytes = 0;",
    after: "let orOfBytes = 1;",
    reason: "the result is compared with 0x80 only",
  },
  {
    file: "src/protocol/mask.ts",
    above: "const step = window.length; // a multiple of 4, so the masking key stays the same",
    before: "let orOfBytes = 0;",
    after: "let orOfBytes = 1;",
    reason: "the result is compared with 0x80 only",
  },
  {
    file: "src/protocol/mask.ts",
    above: "): number {",
    before: "let orOfBytes = 0;",
    after: "let orOfBytes = 1;",
    reason: "the result is compared with 0x80 only",
  },
  {
    file: "src/protocol/mask.ts",
    above: "}",
    before: "return orOfBytes & 0xff;",
    after: "return orOfBytes & 254;",
    reason: "the result is compared with 0x80 only",
  },
  {
    file: "src/protocol/mask.ts",
    before: "for (const last = end - 3; at < last; at += 4) {",
    after: "for (const last = end - 4; at < last; at += 4) {",
    reason: "the last bytes are masked one by one",
  },
  {
    file: "src/protocol/mask.ts",
    before: "for (let from = start; from < end; from += step, at += step) {",
    after: "for (let from = start; from <= end; from += step, at += step) {",
    reason: "an additional part of no bytes",
  },
  {
    file: "src/protocol/mask.ts",
    before: "let orOfWords = 0;",
    after: "let orOfWords = 1;",
    reason: "the result is compared with 0x80 only",
  },
  {
    file: "src/protocol/mask.ts",
    before: "let orOfBytes = orOfWords & 0x80808080 ? 0x80 : 0;",
    after: "let orOfBytes = orOfWords & 0x80808080 ? 129 : 0;",
    reason: "the result is compared with 0x80 only",
  },
  {
    file: "src/protocol/allocate.ts",
    before: "const SMALL = 4096;",
    after: [
      "const SMALL = 4095;",
      "const SMALL = 4097;",
    ],
    reason: "only how memory is allocated, which takes more or less time",
  },
  {
    file: "src/protocol/allocate.ts",
    before: "if (size <= SMALL) return new Uint8Array(size);",
    after: [
      "if (size < SMALL) return new Uint8Array(size);",
      "if (false) return new Uint8Array(size);",
    ],
    reason: "only how memory is allocated, which takes more or less time",
  },
  {
    file: "src/protocol/deflate.ts",
    before: "readonly scratch: Uint8Array = new Uint8Array(BY_REFERENCE - 1);",
    after: "readonly scratch: Uint8Array = new Uint8Array(BY_REFERENCE - 2);",
    reason: "a message that fills the buffer is put together from two",
  },
  {
    file: "src/protocol/deflate.ts",
    before: "shared = zlib !== undefined && hasSyncStreams(zlib) ? new SharedStreams(zlib) : null;",
    after: [
      "shared = zlib !== undefined || hasSyncStreams(zlib) ? new SharedStreams(zlib) : null;",
      "shared = true ? new SharedStreams(zlib) : null;",
    ],
    reason: "the tested runtimes have synchronous streams",
  },
  {
    file: "src/protocol/text_codec.ts",
    before: "for (let from = 0, to = 0; to < length; from = to) {",
    after: "for (let from = 0, to = (-1); to < length; from = to) {",
    reason: "an empty message has an additional part, which is empty",
  },
  {
    file: "src/protocol/text_codec.ts",
    before: "if (to < length && (message.charCodeAt(to - 1) & 0xfc00) === 0xd800) to--;",
    after: "if (to < length && (message.charCodeAt(to - 1) & 0xfc00) === 0xd800) to++;",
    reason: "the part ends after the pair instead of before it",
  },
  {
    file: "src/protocol/text_batch.ts",
    before: "at = end < 0 ? receiveOne(read, at, -end) : receiveBatch(read, at, end);",
    after: [
      "at = end < 1 ? receiveOne(read, at, -end) : receiveBatch(read, at, end);",
      "at = end < (-1) ? receiveOne(read, at, -end) : receiveBatch(read, at, end);",
      "at = end <= 0 ? receiveOne(read, at, -end) : receiveBatch(read, at, end);",
    ],
    reason: "the offset after a header, or its negative",
  },
  {
    file: "src/protocol/text_batch.ts",
    before: "return sink.text(decodeText(chunk, at + HEADER_SIZE, end, 0x80)) ? end : ~end;",
    after: "return sink.text(decodeText(chunk, at + HEADER_SIZE, end, 129)) ? end : ~end;",
    reason: "it is compared with 0x80 only",
  },
  {
    file: "src/protocol/hixie.ts",
    before: "return frame.report(sink) && at >= 0;",
    after: "return frame.report(sink) && at > 0;",
    reason: "an ended frame has at least its last byte, so the offset is at least 1",
  },
  {
    file: "src/protocol/hixie.ts",
    before: "return frame.report(sink) && at >= 0;",
    after: "return frame.report(sink) && at >= 1;",
    reason: "an ended frame has at least its last byte, so the offset is at least 1",
  },
  {
    file: "src/protocol/hixie.ts",
    before: "if (found >= 0) return start + found;",
    after: "if (found > 0) return start + found;",
    reason: "the first 192 bytes were searched before, and have none",
  },
  {
    file: "src/protocol/hixie.ts",
    before: "if (found >= 0) return this.#start + found;",
    after: "if (found > 0) return this.#start + found;",
    reason: "the first 192 bytes were searched before, and have none",
  },
  {
    file: "src/protocol/hixie.ts",
    before: "if (found >= 0) return start + found;",
    after: "if (found >= 1) return start + found;",
    reason: "the first 192 bytes were searched before, and have none",
  },
  {
    file: "src/protocol/hixie.ts",
    before: "if (found >= 0) return this.#start + found;",
    after: "if (found >= 1) return this.#start + found;",
    reason: "the first 192 bytes were searched before, and have none",
  },
  {
    file: "src/handshake/socks5.ts",
    before: "if (type === undefined || length === undefined) return 5;",
    after: "if (type === undefined || length === undefined) return 6;",
    reason: "the shortest reply has seven bytes",
  },
  {
    file: "src/protocol/hixie.ts",
    before: "if (this.#end === this.#chunk.length) return -1;",
    after: "if (this.#end === this.#chunk.length) return -2;",
    reason: "any negative number says that there is none",
  },
  {
    file: "src/protocol/hixie_frames.ts",
    before: 'const most = this.#text === "" ? LARGEST : LATER;',
    after: 'const most = this.#text !== "" ? LARGEST : LATER;',
    reason: "the same text is decoded in parts of another size",
  },
  {
    file: "src/handshake/permessage_deflate.ts",
    before: "return false;",
    after: "return undefined;",
    reason: "it is only asked whether it is true",
  },
  {
    file: "src/handshake/head_reader.ts",
    before: "#consumed = 0;",
    after: [
      "#consumed = 1;",
      "#consumed = (-1);",
    ],
    reason: "each chunk sets it before it is read",
  },
  {
    file: "src/handshake/latin1.ts",
    before: "for (let i = 0; i < text.length; i++) room[i] = text.charCodeAt(i);",
    after: "for (let i = (-1); i < text.length; i++) room[i] = text.charCodeAt(i);",
    reason: "a place before the first of an array is not written",
  },
];
