/**
 * Keeps equal request heads only once. The clients of a fleet send the same head apart from its
 * `Sec-WebSocket-Key`, and a head takes half a kilobyte of an idle connection.
 *
 * @module
 */

/** Longer texts are not shared. */
const MAX_LENGTH = 2048;
/** The most texts that are kept, so that clients cannot fill the memory with different heads. */
const MAX_COUNT = 256;

/** The texts of heads without their keys. */
export class SharedHeads {
  /**
   * The texts by their length and the place of their key. That is enough to find most texts, and a
   * hash of the whole text takes longer than the comparison.
   */
  readonly #texts: Map<number, string[]> = new Map();
  #size = 0;

  /** How many texts are kept. */
  get size(): number {
    return this.#size;
  }

  /**
   * Removes the key from a text.
   *
   * @param text A head.
   * @param at Where its key is.
   * @param end Where its key ends.
   * @returns The head without the key: the text that is kept, if an equal one is.
   */
  share(text: string, at: number, end: number): string {
    const length = text.length - (end - at);
    if (length > MAX_LENGTH) return text.slice(0, at) + text.slice(end);
    const place = at * MAX_LENGTH + length;
    const texts = this.#texts.get(place);
    if (texts !== undefined) {
      for (const kept of texts) {
        if (text.startsWith(kept.slice(0, at)) && text.endsWith(kept.slice(at))) return kept;
      }
    }
    return this.#keep(text.slice(0, at) + text.slice(end), place);
  }

  #keep(text: string, place: number): string {
    if (this.#size === MAX_COUNT) {
      this.#texts.clear();
      this.#size = 0;
    }
    const texts = this.#texts.get(place);
    if (texts === undefined) this.#texts.set(place, [text]);
    else texts.push(text);
    this.#size++;
    return text;
  }
}
