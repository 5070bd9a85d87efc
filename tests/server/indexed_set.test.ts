/**
 * The roster beside a `Set` that is told the same.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { type Indexed, IndexedSet } from "../../src/server/indexed_set.ts";

class Member implements Indexed {
  index = -1;
}

describe("a roster", () => {
  test("has whom a set would have, whoever leaves", () => {
    // Each order in which four members, of whom one comes back, can leave.
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

  test("lets one leave twice, or without having come", () => {
    const roster = new IndexedSet<Member>();
    const [stays, leaves] = [new Member(), new Member()];
    roster.add(leaves);
    roster.add(stays);
    roster.delete(leaves);
    roster.delete(leaves);
    roster.delete(new Member());
    assertEquals(roster.all(), [stays]);
  });

  test("tells who was in, also while they leave", () => {
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
