/**
 * Counts the work of a hot path: allocations, copies, promises and microtasks. The counts are exact,
 * so they show a change that adds one per message.
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** The counts of one run. */
export interface Counts {
  /** The size of each new buffer, in bytes. */
  readonly buffers: number[];
  /** New views of existing buffers. */
  views: number;
  /** The size of each copy (`set`, `slice`, `copyWithin`), in bytes. */
  readonly copies: number[];
  /** Promises that were created or awaited. */
  promises: number;
  /** Microtasks that were queued. */
  microtasks: number;
}

type Constructor = typeof Uint8Array | typeof Int32Array | typeof ArrayBuffer | typeof DataView;

/** The typed arrays' common prototype. */
const TypedArray = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array;

/** Replaces properties until it is disposed of. */
class Patches implements Disposable {
  readonly #undo: (() => void)[] = [];

  /** Replaces one property. */
  replace<Target extends object, Key extends keyof Target>(
    target: Target,
    key: Key,
    make: (original: Target[Key]) => Target[Key],
  ): void {
    const original = target[key];
    target[key] = make(original);
    this.#undo.push(() => target[key] = original);
  }

  [Symbol.dispose](): void {
    for (const undo of this.#undo) undo();
  }
}

function countConstructions(patches: Patches, counts: Counts): void {
  for (const name of ["Uint8Array", "Int32Array", "ArrayBuffer", "DataView"] as const) {
    patches.replace(
      globalThis as Record<typeof name, Constructor>,
      name,
      (original) =>
        new Proxy(original, {
          construct(target, args, newTarget) {
            if (args[0] instanceof ArrayBuffer) counts.views++;
            else counts.buffers.push(Number(args[0]?.length ?? args[0]));
            return Reflect.construct(target, args, newTarget);
          },
        }),
    );
  }
}

function countUnset(patches: Patches, counts: Counts): void {
  patches.replace(Buffer, "allocUnsafeSlow", (allocUnsafeSlow) => (size) => {
    counts.buffers.push(size);
    return allocUnsafeSlow(size);
  });
}

function countCopies(patches: Patches, counts: Counts): void {
  patches.replace(TypedArray, "subarray", (subarray) =>
    function (this: Uint8Array, ...range) {
      counts.views++;
      return subarray.apply(this, range);
    });
  patches.replace(TypedArray, "set", (set) =>
    function (this: Uint8Array, source, at) {
      counts.copies.push(source.length);
      set.call(this, source, at);
    });
  patches.replace(
    TypedArray,
    "copyWithin",
    (copyWithin) =>
      function (this: Uint8Array, target, start, end) {
        counts.copies.push((end ?? this.length) - start);
        return copyWithin.call(this, target, start, end);
      },
  );
  patches.replace(TypedArray, "slice", (slice) =>
    function (this: Uint8Array, ...range) {
      const copy = slice.apply(this, range);
      counts.buffers.push(copy.length);
      counts.copies.push(copy.length);
      return copy;
    });
  patches.replace(
    ArrayBuffer.prototype,
    "transfer",
    (transfer) =>
      function (this: ArrayBuffer, size) {
        counts.buffers.push(size ?? this.byteLength);
        return transfer.call(this, size);
      },
  );
}

function countPromises(patches: Patches, counts: Counts): void {
  const { prototype } = Promise;
  patches.replace(prototype, "then", (then) =>
    function (this: Promise<unknown>, ...callbacks) {
      counts.promises++;
      return then.apply(this, callbacks) as never;
    });
  patches.replace(globalThis, "Promise", (original) =>
    new Proxy(original, {
      construct(target, args, newTarget) {
        counts.promises++;
        return Reflect.construct(target, args, newTarget);
      },
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== "function" || key === "prototype") return value;
        return (...args: unknown[]) => {
          counts.promises++;
          return value.apply(target, args);
        };
      },
    }));
  patches.replace(globalThis, "queueMicrotask", (queueMicrotask) => (task) => {
    counts.microtasks++;
    queueMicrotask(task);
  });
}

/** Counts the synchronous work of `run`. */
export function count(run: () => void): Counts {
  const counts: Counts = { buffers: [], views: 0, copies: [], promises: 0, microtasks: 0 };
  using patches = new Patches();
  countConstructions(patches, counts);
  countUnset(patches, counts);
  countCopies(patches, counts);
  countPromises(patches, counts);
  run();
  return counts;
}
