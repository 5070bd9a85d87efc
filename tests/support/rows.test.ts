import { assertEquals, AssertionError, assertRejects, assertThrows } from "@std/assert";
import { test } from "node:test";
import { checkEach, checkRows, withoutStacks } from "./rows.ts";

function odd(row: number): void {
  if (row % 2 === 0) throw new Error(`${row} is even`);
}

test("rows that fail are named, and the others are checked", async () => {
  const seen: number[] = [];
  const check = (row: number) => {
    seen.push(row);
    odd(row);
  };
  const { message } = assertThrows(() => checkRows([1, 2, 3, 4], (row) => `row ${row}`, check));
  assertEquals(message, "2 of 4 rows failed\nrow 2: 2 is even\nrow 4: 4 is even");
  // Those that fail are checked again, for the stacks of their errors.
  assertEquals(seen, [1, 2, 2, 3, 4, 4]);
  const { cause } = await assertRejects(
    () => checkEach([2, 3], (row) => `row ${row}`, async (row) => odd(await row)),
    AssertionError,
    "1 of 2 rows failed\nrow 2: 2 is even",
  );
  assertEquals((cause as Error).message, "2 is even");
});

test("rows that all pass are no failure, and no row is one", async () => {
  checkRows([1, 3], String, odd);
  await checkEach([1, 3], String, async (row) => odd(await row));
  assertThrows(() => checkRows([], String, odd), AssertionError, "There is no row");
  await assertRejects(() => checkEach([], String, async () => {}), AssertionError, "no row");
});

test("errors have no stack inside, and have one afterwards", () => {
  const frames = () =>
    (new Error("a").stack ?? "").split("\n").filter((line) => /^ +at /.test(line));
  const before = frames().length;
  assertEquals([withoutStacks(frames), frames().length], [[], before]);
  assertThrows(() => withoutStacks(() => odd(2)));
  assertEquals(frames().length, before);
});
