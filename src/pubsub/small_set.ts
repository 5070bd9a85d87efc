/**
 * A collection that is mostly of one: most topics have one subscriber and most connections one
 * topic, and a `Set` of one takes 200 bytes.
 *
 * @module
 */

/** None, one, or a set of several. Items are not sets themselves. */
export type SmallSet<Item> = Item | Set<Item> | undefined;

/** Whether an item is in. */
export function has<Item>(few: SmallSet<Item>, item: Item): boolean {
  return few instanceof Set ? few.has(item) : few === item;
}

/** The collection with an item that was not in; to be kept in place of the one given. */
export function add<Item>(few: SmallSet<Item>, item: Item): Item | Set<Item> {
  if (few === undefined) return item;
  if (few instanceof Set) return few.add(item);
  return new Set([few, item]);
}

/** The collection without an item that was in; to be kept in place of the one given. */
export function remove<Item>(few: SmallSet<Item>, item: Item): SmallSet<Item> {
  if (!(few instanceof Set)) return undefined;
  few.delete(item);
  return few.size === 0 ? undefined : few;
}

/** How many are in. */
export function count<Item>(few: SmallSet<Item>): number {
  if (few instanceof Set) return few.size;
  return few === undefined ? 0 : 1;
}
