/**
 * Shares the cases of the conformance kit among the runtimes, for brokers whose cases take long.
 *
 * @module
 */
import { runtime, runtimes } from "../support/runtime.ts";
import { sized } from "../support/sizes.ts";
import type { Choice } from "./conforms.ts";
import { type Library, libraryOf, type RedisBroker, testedLibrary } from "./libraries.ts";

/** What shows that a client library works on a runtime. */
const EVERYWHERE: ReadonlySet<string> = new Set([
  "a message arrives once at each process that subscribes",
  "a message has any bytes and any size",
  "down and up are reported once each",
  "subscriptions survive a restart",
  "while the server hangs, what waits is limited, and the rest is dropped",
  "applications: a client that returns gets what it missed, from any process",
  "applications: presence is told once, and listed by all processes",
]);

/** Chooses the cases that show most on every runtime, and shares the others among the runtimes. */
export const shared: Choice = ({ name }, index) =>
  EVERYWHERE.has(name) || index % runtimes.length === runtimes.indexOf(runtime);

/** Chooses the cases that {@linkcode shared} leaves to other runtimes. */
export const others: Choice = (one, index) => !shared(one, index);

/**
 * The client libraries for a broker whose cases take long, and which cases each of them runs. After the
 * test suite on all runtimes and the soak test, each library has run each case on each runtime.
 */
export function sharesOf(broker: RedisBroker): readonly (readonly [Library, Choice])[] {
  const library = testedLibrary(broker);
  return sized({
    test: [[library, shared]],
    soak: [[library, others], [libraryOf(broker), () => true]],
  });
}
