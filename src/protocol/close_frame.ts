/**
 * The payload of a close frame (RFC 6455 §5.5.1): a close code and a reason, or nothing.
 *
 * @module
 */
import { ProtocolError } from "../errors.ts";
import { MAX_CONTROL_SIZE } from "./frame_header.ts";

/** The largest reason in bytes: the code takes 2 of the 125 bytes of a control frame. */
const MAX_REASON_SIZE = MAX_CONTROL_SIZE - 2;

const EMPTY = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Whether a close code may be sent: the codes of RFC 6455 §7.4.1 and of its IANA registry, except
 * 1004 (reserved), 1005, 1006 and 1015 (never sent), and the codes of §7.4.2 for libraries and
 * applications.
 */
function isSendable(code: number): boolean {
  return code >= 3000 && code <= 4999 ||
    code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
}

/**
 * Checks the code and the reason of a close frame to send.
 *
 * @param code The close code, `undefined` for none.
 * @param reason The reason, `""` for none.
 * @throws {RangeError} If the code must not be sent, or the reason has more than 123 bytes.
 * @throws {TypeError} If there is a reason and no code.
 */
export function checkCloseCode(code: number | undefined, reason: string): void {
  if (code === undefined) {
    if (reason !== "") {
      throw new TypeError("Cannot close with a reason but no code (RFC 6455 §5.5.1)");
    }
    return;
  }
  if (!Number.isInteger(code) || !isSendable(code)) {
    throw new RangeError(
      `Cannot close with code ${code}: not allowed on the wire (RFC 6455 §7.4)`,
    );
  }
  const size = reason === "" ? 0 : encoder.encode(reason).length;
  if (size > MAX_REASON_SIZE) {
    throw new RangeError(
      `Cannot close: reason must have at most ${MAX_REASON_SIZE} bytes, ` +
        `got ${size} (RFC 6455 §5.5)`,
    );
  }
}

/** Shortens a reason to the characters that fit into a close frame. */
export function fitReason(reason: string): string {
  const { read } = encoder.encodeInto(reason, new Uint8Array(MAX_REASON_SIZE));
  return reason.slice(0, read);
}

/** "Too large" up to hybi-12, so in versions 7 and 8. Now reserved: 1009 has replaced it. */
const OLD_TOO_LARGE = 1004;

/**
 * Makes the payload of a close frame.
 *
 * @param isOld Whether the version is 7 or 8.
 * @throws Like {@linkcode checkCloseCode}.
 */
export function encodeClose(code: number | undefined, reason: string, isOld: boolean): Uint8Array {
  if (!isOld || code !== OLD_TOO_LARGE) checkCloseCode(code, reason);
  if (code === undefined) return EMPTY;
  // Most close frames have no reason. The encoder and the decoder would take 0.5 µs each for it.
  const bytes = reason === "" ? EMPTY : encoder.encode(reason);
  const payload = new Uint8Array(2 + bytes.length);
  payload[0] = code >> 8;
  payload[1] = code;
  payload.set(bytes, 2);
  return payload;
}

/**
 * Parses and checks the payload of a close frame.
 *
 * @param isOld Whether the version is 7 or 8.
 * @returns The code and the reason; `undefined` and `""` if the payload is empty.
 * @throws {ProtocolError} 1002, or 1007 if the reason is not UTF-8.
 */
export function decodeClose(
  payload: Uint8Array,
  isOld: boolean,
): { code: number | undefined; reason: string } {
  const high = payload[0];
  const low = payload[1];
  if (high === undefined) return { code: undefined, reason: "" };
  if (low === undefined) {
    throw new ProtocolError(1002, "a close payload must not be of one byte (RFC 6455 §5.5.1)");
  }
  const code = high << 8 | low;
  if (!isSendable(code) && !(isOld && code === OLD_TOO_LARGE)) {
    throw new ProtocolError(1002, `close code ${code} must not be on the wire (RFC 6455 §7.4)`);
  }
  if (payload.length === 2) return { code, reason: "" };
  try {
    return { code, reason: decoder.decode(payload.subarray(2)) };
  } catch {
    throw new ProtocolError(1007, "a close reason must be UTF-8 (RFC 6455 §5.5.1)");
  }
}
