/**
 * The sizes of tests that grow: small in `deno task test`, and large in `deno task soak`.
 *
 * @module
 */
import process from "node:process";

/** The environment variable that makes sizes large. */
export const LARGE_VARIABLE = "WATERSPOUT_LARGE";

/** The files that have large sizes. `deno task soak` runs them. */
export const SIZED_FILES: readonly string[] = [
  "tests/brokers/cluster.test.ts",
  "tests/brokers/conformance.test.ts",
  "tests/brokers/postgres.test.ts",
  "tests/brokers/redis_cluster.test.ts",
  "tests/brokers/streams.test.ts",
  "tests/brokers/streams_faults.test.ts",
  "tests/brokers/valkey.test.ts",
  "tests/clients/clients.test.ts",
  "tests/clients/languages/languages.test.ts",
  "tests/cluster/cluster.test.ts",
  "tests/conformance/deflate.test.ts",
  "tests/conformance/hybi.test.ts",
  "tests/conformance/large.test.ts",
  "tests/examples/cluster.test.ts",
  "tests/memory/pieces.test.ts",
  "tests/server/restart.test.ts",
  "tests/simulation/simulation.test.ts",
  "tests/transport/http2.test.ts",
  "tests/transport/transport.test.ts",
];

/** The size for this run, or what else differs. */
export function sized<Value>(
  { test, soak }: { readonly test: Value; readonly soak: Value },
): Value {
  return process.env[LARGE_VARIABLE] === "1" ? soak : test;
}
