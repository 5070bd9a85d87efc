/**
 * Keeps equal request heads only once. Clients with the same software send the same head, except for
 * `Sec-WebSocket-Key`. A head takes half a kilobyte of an idle connection.
 *
 * @module
 */

/** The longest head that is shared. */
const MAX_LENGTH = 2048;
/** The most texts that are kept, so that clients cannot fill the memory with different heads. */
const MAX_COUNT = 256;

/** A head without its key. */
interface SharedHead {
  /** The text before the key. */
  readonly before: string;
  /** The text after the key. */
  readonly after: string;
  /** Both texts. */
  readonly text: string;
}

/** The texts of heads without their keys. */
export class SharedHeads {
  /**
   * The heads by their length and the position of their key. A hash of the whole text would take longer
   * than the comparison.
   */
  readonly #heads: Map<number, SharedHead[]> = new Map();
  #size = 0;

  /** How many heads are kept. */
  get size(): number {
    return this.#size;
  }

  /**
   * Removes the key from a head.
   *
   * @param head The head.
   * @param at The start of its key.
   * @param end The end of its key.
   * @returns The head without the key. Equal heads get the same string.
   */
  share(head: string, at: number, end: number): string {
    const length = head.length - (end - at);
    if (length > MAX_LENGTH) return head.slice(0, at) + head.slice(end);
    const place = at * MAX_LENGTH + length;
    const heads = this.#heads.get(place);
    if (heads !== undefined) {
      for (const { before, after, text } of heads) {
        if (head.startsWith(before) && head.endsWith(after)) return text;
      }
    }
    return this.#keep({ before: head.slice(0, at), after: head.slice(end), place });
  }

  #keep(
    { before, after, place }: Pick<SharedHead, "before" | "after"> & { place: number },
  ): string {
    if (this.#size === MAX_COUNT) {
      this.#heads.clear();
      this.#size = 0;
    }
    const text = before + after;
    const head = { before, after, text };
    const heads = this.#heads.get(place);
    if (heads === undefined) this.#heads.set(place, [head]);
    else heads.push(head);
    this.#size++;
    return text;
  }
}
