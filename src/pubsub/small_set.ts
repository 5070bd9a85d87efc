/**
 * A set that is small when it has one item. Most topics have one subscriber, most connections one
 * topic, and a `Set` of one takes 200 bytes.
 *
 * @module
 */

/** No item, one item, or a `Set` of items. An item must not be a `Set`. */
export type SmallSet<Item> = Item | Set<Item> | undefined;

/** Whether a set has an item. */
export function has<Item>(set: SmallSet<Item>, item: Item): boolean {
  return set instanceof Set ? set.has(item) : set === item;
}

/** Adds an item that is not in the set. Store the returned set in place of the old one. */
export function add<Item>(set: SmallSet<Item>, item: Item): Item | Set<Item> {
  if (set === undefined) return item;
  if (set instanceof Set) return set.add(item);
  return new Set([set, item]);
}

/** Removes an item that is in the set. Store the returned set in place of the old one. */
export function remove<Item>(set: SmallSet<Item>, item: Item): SmallSet<Item> {
  if (!(set instanceof Set)) return undefined;
  set.delete(item);
  return set.size === 0 ? undefined : set;
}

/** Returns the number of items. */
export function count<Item>(set: SmallSet<Item>): number {
  if (set instanceof Set) return set.size;
  return set === undefined ? 0 : 1;
}

/** Returns the items, in a new array. */
export function items<Item>(set: SmallSet<Item>): Item[] {
  if (set instanceof Set) return [...set];
  return set === undefined ? [] : [set];
}
