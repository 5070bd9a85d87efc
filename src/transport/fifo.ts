/**
 * A queue whose cost does not depend on its length.
 *
 * @module
 */

/** How many places of items that were taken out are kept before the others move up. */
const MOST_GAPS = 1024;

/** First in, first out. What is taken out is let go of at once. */
export class Fifo<Item> {
  /** From `#next` on; those before were taken out. */
  #items: (Item | undefined)[] = [];
  #next = 0;

  /** How many items wait. */
  get length(): number {
    return this.#items.length - this.#next;
  }

  /** Puts an item at the end. */
  push(item: Item): void {
    this.#items.push(item);
  }

  /** Takes out the first item, or `undefined` if there is none. */
  shift(): Item | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#next];
    this.#items[this.#next++] = undefined;
    if (this.length === 0) {
      this.#items = [];
      this.#next = 0;
    } else if (this.#next >= MOST_GAPS && this.#next * 2 > this.#items.length) {
      // Linear in all: it moves fewer items than were taken out.
      this.#items.splice(0, this.#next);
      this.#next = 0;
    }
    return item;
  }

  /** Puts an item back in front. */
  unshift(item: Item): void {
    if (this.#next > 0) this.#items[--this.#next] = item;
    else this.#items.unshift(item);
  }
}
