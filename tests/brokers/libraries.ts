/**
 * Which client library of Redis a test uses. All of them on all runtimes would take too long.
 *
 * @module
 */
import { runtime } from "../support/runtime.ts";
import { sized } from "../support/sizes.ts";

/** The client libraries of Redis. */
const LIBRARIES = ["npm:redis", "npm:ioredis"] as const;

/** The name of a client library of Redis. */
export type Library = (typeof LIBRARIES)[number];

/** The brokers over Redis. */
export type RedisBroker = "Pub/sub" | "Streams" | "Cluster";

/** The client library of a broker in the test suite on this runtime. */
export function testedLibrary(broker: RedisBroker): Library {
  return LIBRARIES[(runtime === "bun") !== (broker === "Streams") ? 1 : 0];
}

/**
 * The client library for a broker on this runtime. The soak test uses the one that the test suite does
 * not.
 */
export function libraryOf(broker: RedisBroker): Library {
  const tested = testedLibrary(broker);
  return sized({ test: tested, soak: LIBRARIES.find((other) => other !== tested)! });
}
