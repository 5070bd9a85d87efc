/**
 * Heads of requests that are alike, kept once. The clients of one fleet send the same head but for
 * its `Sec-WebSocket-Key`: half a kilobyte of each idle connection.
 *
 * @module
 */

/** Heads of more characters are not shared. */
const MAX_LENGTH = 2048;
/** So many are kept at the most, so that clients can't fill the memory with heads of their own. */
const MAX_COUNT = 256;

/** The texts of heads without their keys. */
export class SharedHeads {
  readonly #texts: Map<string, string> = new Map();

  /** How many texts are kept. */
  get size(): number {
    return this.#texts.size;
  }

  /** The same text as one that was kept before, if there was one. */
  share(text: string): string {
    if (text.length > MAX_LENGTH) return text;
    const shared = this.#texts.get(text);
    if (shared !== undefined) return shared;
    if (this.#texts.size === MAX_COUNT) this.#texts.clear();
    this.#texts.set(text, text);
    return text;
  }
}
