/**
 * Decodes Punycode (RFC 3492), the encoding of non-ASCII host names: `bcher-kva` is `bücher`.
 *
 * @module
 */

// The parameters of Punycode for host names (RFC 3492 §5).
const BASE = 36;
const T_MIN = 1;
const T_MAX = 26;
const SKEW = 38;
const DAMP = 700;
const INITIAL_BIAS = 72;
const INITIAL_N = 0x80;
const LAST_CODE_POINT = 0x10ffff;

/**
 * Decodes Punycode (RFC 3492 §6.2).
 *
 * @param text A label in lower case, without its `xn--`.
 * @returns `undefined` if it is malformed.
 */
export function decodePunycode(text: string): string | undefined {
  const delimiter = text.lastIndexOf("-");
  const codePoints = Array.from(text.slice(0, Math.max(delimiter, 0)), codePointOf);
  let n = INITIAL_N;
  let bias = INITIAL_BIAS;
  let i = 0;
  for (let at = delimiter + 1; at < text.length;) {
    const integer = readInteger(text, at, bias);
    if (integer === undefined) return undefined;
    at = integer.end;
    const length = codePoints.length + 1;
    bias = adaptBias(integer.value, length, i === 0 && n === INITIAL_N);
    i += integer.value;
    n += Math.floor(i / length);
    i %= length;
    if (n > LAST_CODE_POINT) return undefined;
    codePoints.splice(i++, 0, n);
  }
  return String.fromCodePoint(...codePoints);
}

function codePointOf(character: string): number {
  return character.charCodeAt(0);
}

/** Reads a variable-length integer (§3.3). Returns `undefined` if it is incomplete or too large. */
function readInteger(
  text: string,
  at: number,
  bias: number,
): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  let weight = 1;
  for (let k = BASE; at < text.length; k += BASE) {
    const digit = digitOf(text.charCodeAt(at++));
    if (digit === undefined) return undefined;
    value += digit * weight;
    if (value > 2 ** 31) return undefined;
    const threshold = Math.min(Math.max(k - bias, T_MIN), T_MAX);
    if (digit < threshold) return { value, end: at };
    weight *= BASE - threshold;
  }
  return undefined;
}

/** `a` to `z` are 0 to 25, `0` to `9` are 26 to 35 (§5). */
function digitOf(code: number): number | undefined {
  if (code >= 0x61 && code <= 0x7a) return code - 0x61;
  if (code >= 0x30 && code <= 0x39) return code - 0x30 + 26;
  return undefined;
}

/** Adapts the bias (§6.1). */
function adaptBias(delta: number, length: number, isFirst: boolean): number {
  let rest = isFirst ? Math.floor(delta / DAMP) : delta >> 1;
  rest += Math.floor(rest / length);
  let k = 0;
  for (; rest > (BASE - T_MIN) * T_MAX >> 1; k += BASE) rest = Math.floor(rest / (BASE - T_MIN));
  return k + Math.floor((BASE - T_MIN + 1) * rest / (rest + SKEW));
}
