/**
 * Who is present at a topic, as far as the listeners of this process were told.
 *
 * @module
 */
import type { PresenceChange, PresenceEntry } from "./brokers/broker.ts";

/**
 * What the listeners of a topic in this process know. It makes each event one: the same change may
 * be reported by a broker, by other processes, and by a later list.
 */
export class PresenceView {
  /** The information of each id. */
  readonly #known: Map<string, string> = new Map();
  /** The ids that have changed since a list was requested. They may be newer than the list. */
  #touched: Set<string> | null = new Set();
  /** Whether a list was received. */
  #isLoaded = false;

  /** Whether a list was received. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Applies a change. @returns What is news to the listeners. */
  apply({ joined, left }: PresenceChange): PresenceChange {
    return {
      left: left.filter((entry) => this.#leave(entry)),
      joined: joined.filter((entry) => this.#join(entry)),
    };
  }

  #join({ id, info }: PresenceEntry): boolean {
    const isNew = !this.#known.has(id);
    this.#known.set(id, info);
    this.#touched?.add(id);
    return isNew;
  }

  #leave({ id }: PresenceEntry): boolean {
    // Before the first list, an id that nothing was heard of may have been present.
    const wasPresent = this.#known.delete(id) || !this.#isLoaded && !this.#touched?.has(id);
    this.#touched?.add(id);
    return wasPresent;
  }

  /** A list is requested: changes from now on may be newer. */
  request(): void {
    // Before the first list, all changes count.
    if (this.#isLoaded) this.#touched = new Set();
  }

  /**
   * Takes a list, which is what counts.
   *
   * @returns What is news to the listeners. They are not told who was there before the first list.
   */
  replace(list: readonly PresenceEntry[]): PresenceChange {
    const touched = this.#touched;
    const isLate = ({ id }: PresenceEntry) => touched?.has(id) === true;
    const present = new Map(list.map(({ id, info }) => [id, info]));
    const left = [...this.#known].map(([id, info]) => ({ id, info }))
      .filter((entry) => !isLate(entry) && !present.has(entry.id));
    const others = list.filter((entry) => !isLate(entry));
    const joined = others.filter(({ id }) => !this.#known.has(id));
    for (const { id } of left) this.#known.delete(id);
    for (const { id, info } of others) this.#known.set(id, info);
    this.#touched = null;
    const isFirst = !this.#isLoaded;
    this.#isLoaded = true;
    return isFirst ? { joined: [], left: [] } : { joined, left };
  }
}
