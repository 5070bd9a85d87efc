/**
 * A first-in, first-out queue whose operations cost O(1).
 *
 * @module
 */

/** How many free places may be at the beginning of the array before the items are moved. */
const MAX_GAPS = 1024;

/** A queue that does not keep items alive once they are removed. */
export class Fifo<Item> {
  /** The items start at `#next`; the places before it are free. */
  #items: (Item | undefined)[] = [];
  #next = 0;

  /** The number of items. */
  get length(): number {
    return this.#items.length - this.#next;
  }

  /** Adds an item at the end. */
  push(item: Item): void {
    this.#items.push(item);
  }

  /** Removes and returns the first item; `undefined` if the queue is empty. */
  shift(): Item | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#next];
    this.#items[this.#next++] = undefined;
    if (this.length === 0) {
      this.#items = [];
      this.#next = 0;
    } else if (this.#next >= MAX_GAPS && this.#next * 2 > this.#items.length) {
      // Amortized O(1): fewer items are moved than were removed.
      this.#items.splice(0, this.#next);
      this.#next = 0;
    }
    return item;
  }

  /** Adds an item at the beginning. */
  unshift(item: Item): void {
    if (this.#next > 0) this.#items[--this.#next] = item;
    else this.#items.unshift(item);
  }
}
