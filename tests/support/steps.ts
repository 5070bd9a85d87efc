/**
 * Counts the steps of some work: the elements, characters and bytes that built-in methods go through.
 * The count is exact, so it shows work that grows faster than its input, on a machine of any speed.
 *
 * A method counts as much as it may have to look at, so `array.shift()` counts the whole array. Loops
 * that call no such method are not seen.
 *
 * @module
 */

type Method = (this: never, ...args: unknown[]) => unknown;
type Measure = (self: never, args: readonly unknown[], result: unknown) => number;

/** Replaces methods until it is disposed of. */
class Counter implements Disposable {
  steps = 0;
  readonly #undo: (() => void)[] = [];

  /** Counts the calls of some methods. */
  watch(target: object, names: readonly PropertyKey[], measure: Measure): void {
    for (const name of names) {
      const original = Reflect.get(target, name) as Method;
      const add = (steps: number) => void (this.steps += steps);
      this.#replace(target, name, function (this: never, ...args: unknown[]) {
        const result = original.apply(this, args as never);
        add(measure(this, args, result));
        return result;
      });
    }
  }

  /** Counts what iterators of some methods return. */
  watchIterators(target: object, names: readonly PropertyKey[]): void {
    for (const name of names) {
      const original = Reflect.get(target, name) as (this: never) => Iterable<unknown>;
      const add = () => void this.steps++;
      this.#replace(target, name, function* (this: never) {
        for (const item of original.call(this)) {
          add();
          yield item;
        }
      });
    }
  }

  #replace(target: object, name: PropertyKey, value: unknown): void {
    const before = Object.getOwnPropertyDescriptor(target, name) as PropertyDescriptor;
    Object.defineProperty(target, name, { ...before, value });
    this.#undo.push(() => Object.defineProperty(target, name, before));
  }

  [Symbol.dispose](): void {
    for (const undo of this.#undo.toReversed()) undo();
  }
}

const one: Measure = () => 1;
const all: Measure = ({ length }: { length: number }) => length;
/** From where the search began to where it ended. */
const searched: Measure = ({ length }: { length: number }, [, from = 0], found) =>
  (found === -1 ? length : found as number + 1) - Number(from);
const firstArgument: Measure = (_self, [first]) => String(first).length;

/** The typed arrays' common prototype. */
const TypedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;

/** Counts the steps of synchronous work. */
export function countSteps(work: () => void): number {
  using counter = new Counter();
  counter.watch(Array.prototype, ["push", "pop"], one);
  counter.watch(Array.prototype, [
    ...["shift", "unshift", "splice", "slice", "concat", "join", "sort", "reverse"],
    ...["includes", "find", "findIndex", "filter", "map", "forEach", "some", "every"],
  ], all);
  counter.watch(Map.prototype, ["get", "has", "set", "delete"], one);
  counter.watch(Set.prototype, ["has", "add", "delete"], one);
  for (const prototype of [Map.prototype, Set.prototype]) {
    counter.watchIterators(prototype, ["keys", "values", "entries", Symbol.iterator]);
  }
  counter.watch(String.prototype, [
    ...["split", "includes", "replace", "replaceAll", "trim"],
    ...["toLowerCase", "toUpperCase", "match", "matchAll"],
  ], all);
  counter.watch(String.prototype, ["charCodeAt", "codePointAt"], one);
  counter.watch(RegExp.prototype, ["test", "exec"], firstArgument);
  for (const target of [String.prototype, Array.prototype, TypedArray]) {
    counter.watch(target, ["indexOf"], searched);
  }
  counter.watch(TypedArray, ["fill", "copyWithin", "slice"], all);
  counter.watch(TypedArray, ["set"], (_self, [source]) => (source as Uint8Array).length);
  counter.watch(ArrayBuffer.prototype, ["transfer"], (_self, _args, moved) => lengthOf(moved));
  counter.watch(TextDecoder.prototype, ["decode"], (_self, [bytes]) => lengthOf(bytes));
  work();
  return counter.steps;
}

function lengthOf(bytes: unknown): number {
  return (bytes as { readonly byteLength?: number } | undefined)?.byteLength ?? 0;
}
