/**
 * Compares an indexed set with a `Set`.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { type Indexed, IndexedSet } from "../../src/server/indexed_set.ts";

class Member implements Indexed {
  index = -1;
}

describe("an indexed set", () => {
  test("has the same members as a Set", () => {
    // Each order in which four members can be deleted. One of them is added again.
    const orders = permutations([0, 1, 2, 3]);
    for (const order of orders) {
      const members = [new Member(), new Member(), new Member(), new Member()];
      const roster = new IndexedSet<Member>();
      const set = new Set<Member>();
      const agree = () => {
        assertEquals(roster.size, set.size);
        assertEquals(new Set(roster.all()), set);
        assertEquals(members.map(({ index }) => index >= 0), members.map((one) => set.has(one)));
      };
      for (const member of members) {
        roster.add(member);
        set.add(member);
        agree();
      }
      const back = members[order[1] as number] as Member;
      for (const [turn, index] of order.entries()) {
        const member = members[index] as Member;
        roster.delete(member);
        set.delete(member);
        agree();
        if (turn === 2) {
          roster.add(back);
          set.add(back);
          agree();
        }
      }
      roster.delete(back);
      set.delete(back);
      agree();
    }
  });

  test("ignores a second delete, and one of an object that is not a member", () => {
    const roster = new IndexedSet<Member>();
    const [stays, leaves] = [new Member(), new Member()];
    roster.add(leaves);
    roster.add(stays);
    roster.delete(leaves);
    roster.delete(leaves);
    roster.delete(new Member());
    assertEquals(roster.all(), [stays]);
  });

  test("returns a copy of its members, so that they can be deleted meanwhile", () => {
    const roster = new IndexedSet<Member>();
    const members = [new Member(), new Member(), new Member()];
    for (const member of members) roster.add(member);
    const told = roster.all();
    for (const member of told) roster.delete(member);
    assertEquals(told, members);
    assertEquals(roster.size, 0);
  });
});

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest])
  );
}
