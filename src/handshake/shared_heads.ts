/**
 * Keeps equal request heads only once. The clients of a fleet send the same head apart from its
 * `Sec-WebSocket-Key`, and a head takes half a kilobyte of an idle connection.
 *
 * @module
 */

/** Longer heads are not shared. */
const MAX_LENGTH = 2048;
/** The most texts that are kept, so that clients cannot fill the memory with different heads. */
const MAX_COUNT = 256;

/** The texts of heads without their keys. */
export class SharedHeads {
  readonly #texts: Map<string, string> = new Map();

  /** How many texts are kept. */
  get size(): number {
    return this.#texts.size;
  }

  /** An equal text that is kept already; otherwise keeps this one. */
  share(text: string): string {
    if (text.length > MAX_LENGTH) return text;
    const shared = this.#texts.get(text);
    if (shared !== undefined) return shared;
    if (this.#texts.size === MAX_COUNT) this.#texts.clear();
    this.#texts.set(text, text);
    return text;
  }
}
