/**
 * The assertions of the conformance kit. They need no other package.
 *
 * @module
 */

/** The error of a case that has found a fault. */
export class ConformanceError extends Error {
  override readonly name = "ConformanceError";
}

/** Fails the case with a message unless a condition holds. */
export function expect(condition: boolean, message: string): asserts condition {
  if (!condition) throw new ConformanceError(message);
}

/** Fails the case unless two values have the same content. `what` names the value. */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (Array.isArray(actual) && Array.isArray(expected)) return expectList(actual, expected, what);
  const [got, wanted] = [show(actual), show(expected)];
  expect(got === wanted, `${what}: expected ${shorten(wanted)}, got ${shorten(got)}`);
}

function expectList(
  actual: readonly unknown[],
  expected: readonly unknown[],
  what: string,
): void {
  for (const [index, item] of expected.entries()) {
    if (index >= actual.length) {
      const missing = shorten(show(item));
      expect(false, `${what}: ${actual.length} of ${expected.length}, ${missing} is missing`);
    }
    expectEqual(actual[index], item, `${what}, number ${index + 1}`);
  }
  const surplus = actual.slice(expected.length);
  expect(
    surplus.length === 0,
    `${what}: expected ${expected.length}, got ${actual.length}, the next is ` +
      shorten(show(surplus[0])),
  );
}

/** Waits until a promise rejects with an error that has a message. Fails the case if it resolves. */
export async function expectRejection(promise: Promise<unknown>, what: string): Promise<void> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  expect("error" in outcome, `${what}: expected an error, and it resolved`);
  const { error } = outcome;
  expect(
    error instanceof Error && error.message !== "",
    `${what}: expected an Error with a message, got ${shorten(show(error))}`,
  );
}

/** Describes a value. Equal contents have equal descriptions. */
function show(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (part instanceof Uint8Array) return `bytes ${part.length}: ${[...part].join(" ")}`;
    if (part === undefined) return "(undefined)";
    if (part instanceof Error) return String(part);
    return part;
  }) ?? String(value);
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Encodes a text. */
export function toBytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Decodes a text. */
export function toText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Whether two byte sequences are equal. */
export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}

/** Bytes of all values. No part of 64 KiB is like another. */
export function pattern(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at++) bytes[at] = at ^ (at >> 8) ^ (at >> 16);
  return bytes;
}
