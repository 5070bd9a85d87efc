/**
 * Valid and invalid frames of RFC 6455, and rows with the events that must be received.
 *
 * @module
 */
import { bytes, hex } from "./hixie_cases.ts";

/** A message or a control frame. */
export type HybiEvent =
  | readonly ["text", string]
  | readonly ["binary" | "ping" | "pong", Uint8Array]
  | readonly ["close", number | undefined, string];

/** One row. */
export interface HybiCase {
  /** What the row tests. */
  readonly name: string;
  /** The section of RFC 6455 that requires it. */
  readonly section: string;
  /** The bytes that the client sends. */
  readonly input: Uint8Array;
  /** The events that must be received, before the error if there is one. */
  readonly events: readonly HybiEvent[];
  /** The close code with which the connection fails, and after how many bytes of input. */
  readonly error?: { readonly code: number; readonly after: number };
  /** The message size limit, in bytes. Default: a limit that the row does not reach. */
  readonly maxMessageSize: number;
  /** The limit of frames in a message. Default: a limit that the row does not reach. */
  readonly maxFragments: number;
}

/** The parts of a frame. */
export interface FrameParts {
  /** The opcode, with `0x40`, `0x20` and `0x10` for the reserved bits. */
  readonly opcode: number;
  /** Default: `true`. */
  readonly fin?: boolean;
  /** A string is encoded as UTF-8. Default: empty. */
  readonly payload?: string | Uint8Array;
  /** The size of the extended length: 0, 2 or 8 bytes. Default: as few as possible. */
  readonly lengthSize?: number;
  /** The length in the header. Default: the payload's length. */
  readonly length?: number;
  /** The masking key; `null` for an unmasked frame. Default: the key of RFC 6455 §5.7. */
  readonly maskingKey?: Uint8Array | null;
}

/** The masking key of the examples in RFC 6455 §5.7. */
const KEY = hex("37 FA 21 3D");

/** Makes a frame, which may break any rule. */
export function frame(parts: FrameParts): Uint8Array {
  const { opcode, fin = true, maskingKey = KEY } = parts;
  const payload = bytes(parts.payload ?? "");
  const length = parts.length ?? payload.length;
  const lengthSize = parts.lengthSize ?? (length < 126 ? 0 : length < 65536 ? 2 : 8);
  const extended = new Uint8Array(lengthSize);
  for (let i = lengthSize - 1, rest = length; i >= 0; i--, rest = Math.floor(rest / 256)) {
    extended[i] = rest % 256;
  }
  const code = lengthSize === 0 ? length : lengthSize === 2 ? 126 : 127;
  return bytes(
    Uint8Array.of((fin ? 0x80 : 0) | opcode, (maskingKey === null ? 0 : 0x80) | code),
    extended,
    maskingKey ?? "",
    maskingKey === null ? payload : masked(payload, maskingKey),
  );
}

/** A copy, masked. */
function masked(payload: Uint8Array, key: Uint8Array): Uint8Array {
  const copy = payload.slice();
  // A loop is faster: some payloads have megabytes.
  for (let i = 0; i < copy.length; i++) copy[i] = (copy[i] as number) ^ (key[i & 3] as number);
  return copy;
}

/** A text frame with FIN set. */
export function text(payload: string | Uint8Array): Uint8Array {
  return frame({ opcode: 1, payload });
}

/** A binary frame with FIN set. */
export function binary(payload: string | Uint8Array): Uint8Array {
  return frame({ opcode: 2, payload });
}

/** A continuation frame. */
export function continuation(payload: string | Uint8Array, fin: boolean): Uint8Array {
  return frame({ opcode: 0, payload, fin });
}

/** The first frame of a fragmented text. */
export function begin(payload: string | Uint8Array, opcode = 1): Uint8Array {
  return frame({ opcode, payload, fin: false });
}

/** A ping. */
export function ping(payload: string | Uint8Array): Uint8Array {
  return frame({ opcode: 9, payload });
}

/** A pong. */
export function pong(payload: string | Uint8Array): Uint8Array {
  return frame({ opcode: 10, payload });
}

/** A close frame. Without a code, `reason` is the whole payload. */
export function close(code?: number, reason: string | Uint8Array = ""): Uint8Array {
  const payload = code === undefined
    ? bytes(reason)
    : bytes(Uint8Array.of(code >> 8, code), reason);
  return frame({ opcode: 8, payload });
}

/** The optional parts of a row. */
export type Options = Partial<Pick<HybiCase, "error" | "maxMessageSize" | "maxFragments">>;

/** A row. */
export function row(
  section: string,
  name: string,
  input: readonly Uint8Array[],
  events: readonly HybiEvent[],
  { error, maxMessageSize = 1 << 26, maxFragments = 1 << 20 }: Options = {},
): HybiCase {
  const limits = { maxMessageSize, maxFragments };
  const common = { name, section, input: bytes(...input), events, ...limits };
  return error === undefined ? common : { ...common, error };
}

/**
 * A row that fails. The input is `before`, then `broken`, then a text that must not be received. The
 * connection fails after `fatal` bytes of `broken`.
 */
export function failure(
  section: string,
  name: string,
  [before, broken]: readonly [readonly Uint8Array[], Uint8Array],
  [code, fatal]: readonly [number, number],
  { events = [], ...options }: Options & { readonly events?: readonly HybiEvent[] } = {},
): HybiCase {
  const after = bytes(...before).length + fatal;
  const input = [...before, broken, text("too late")];
  return row(section, name, input, events, { ...options, error: { code, after } });
}

/** Bytes whose values depend on their position. */
export function pattern(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = i * 7 + (i >> 8);
  return bytes;
}
