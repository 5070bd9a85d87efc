/**
 * Stores equal request heads only once. Clients with the same software send the same head, except for
 * `Sec-WebSocket-Key`, which the stored text does not contain. This saves about 500 bytes for each idle
 * connection.
 *
 * @module
 */

/** The longest head that is shared. */
const MAX_LENGTH = 2048;
/** The most texts that are kept, so that clients cannot fill the memory with different heads. */
const MAX_COUNT = 256;

/** The texts of heads. */
export class SharedHeads {
  /** The texts by their length. Hashing a text would take longer than comparing it. */
  readonly #texts: Map<number, string[]> = new Map();
  #size = 0;

  /** How many texts are kept. */
  get size(): number {
    return this.#size;
  }

  /** Returns the stored string that equals a text. Stores the text if there is none. */
  share(text: string): string {
    if (text.length > MAX_LENGTH) return text;
    const texts = this.#texts.get(text.length);
    if (texts !== undefined) {
      for (const other of texts) if (other === text) return other;
    }
    this.#keep(text);
    return text;
  }

  #keep(text: string): void {
    if (this.#size === MAX_COUNT) {
      this.#texts.clear();
      this.#size = 0;
    }
    const texts = this.#texts.get(text.length);
    if (texts === undefined) this.#texts.set(text.length, [text]);
    else texts.push(text);
    this.#size++;
  }
}
