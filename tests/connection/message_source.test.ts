import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { isSource, type MessageSource, openSource } from "../../src/connection/message_source.ts";

describe("a source of a message", () => {
  const rows: [name: string, value: unknown, is: boolean][] = [
    ["a generator", (async function* () {})(), true],
    ["an object that can be iterated", { [Symbol.asyncIterator]: () => ({}) }, true],
    ["a stream", new ReadableStream(), true],
    ["a stream of a runtime whose streams cannot be iterated", bareStream(), true],
    ["an object whose iterator is no function", { [Symbol.asyncIterator]: 1 }, false],
    ["an object", {}, false],
    ["bytes", new Uint8Array(1), false],
    ["text", "a", false],
    ["null", null, false],
    ["a function", () => {}, false],
  ];
  for (const [name, value, is] of rows) {
    test(`is ${is ? "" : "not "}${name}`, () => assertEquals(isSource(value), is));
  }

  function bareStream(): ReadableStream {
    return Object.defineProperty(new ReadableStream(), Symbol.asyncIterator, { value: undefined });
  }

  test("may be a stream, unless it is locked", async () => {
    const cancelled: unknown[] = [];
    const stream = new ReadableStream<string>({
      start: (controller) => controller.enqueue("a"),
      cancel: (reason) => void cancelled.push(reason),
    });
    const source = openSource(stream);
    assertThrows(() => openSource(stream), TypeError, "the stream is locked");
    assertEquals({ ...await source.next() }, { value: "a", done: false });
    const reason = new Error("closed");
    await source.cancel(reason);
    assertEquals(cancelled, [reason]);
  });

  test("is cancelled by return(), if it has this method", async () => {
    const calls: string[] = [];
    const open = (methods: object) =>
      openSource({ [Symbol.asyncIterator]: () => methods } as unknown as MessageSource);
    const whole = open({
      next: () => Promise.resolve({ value: "a" }),
      return: () => Promise.resolve(calls.push("return")),
    });
    assertEquals(await whole.next() as unknown, { value: "a" });
    assertEquals([await whole.cancel(new Error()), calls], [undefined, ["return"]]);
    await open({}).cancel(new Error());
    const broken = open({ return: () => Promise.reject(new Error("broken")) });
    await assertRejects(() => broken.cancel(new Error()), Error, "broken");
  });
});
