/**
 * The table of suites: the tier of each folder, what its tests need, and where they run. A folder
 * without a row is in the tier `unit`, needs nothing and runs on every runtime.
 *
 * @module
 */
import type { Runtime } from "../support/runtime.ts";
import type { NeedName } from "./needs.ts";

/**
 * `unit`: in memory or on loopback, on every runtime. `e2e`: with programs of other projects.
 * `system`: whole processes of ours, and checks of the repository.
 */
export type Tier = "unit" | "e2e" | "system";

/** All tiers. */
export const TIERS: readonly Tier[] = ["unit", "system", "e2e"];

/** One row. */
export interface Suite {
  /** A folder or a file. A test file belongs to the row with the longest matching path. */
  readonly path: string;
  readonly tier: Tier;
  /** The only runtime that runs these tests: they do not depend on it, or start all three themselves. */
  readonly once?: Runtime;
  readonly needs?: readonly NeedName[];
  /** Whether its tests mostly wait for timers and other processes. They run beside tests that use the CPU. */
  readonly waits?: boolean;
  /** Whether its files share no process with other suites: they take long, so others would wait for them. */
  readonly alone?: boolean;
}

/** All files without a row of their own. They take longest, and need nothing. */
const REST: Suite = { path: "tests", tier: "unit" };

/** The suites, in the order in which they start. The slowest come first. */
export const SUITES: readonly Suite[] = [
  REST,
  { path: "tests/jsr", tier: "system", once: "bun", alone: true },
  {
    path: "tests/browser",
    tier: "e2e",
    once: "node",
    alone: true,
    needs: ["chromium", "phantomjs"],
  },
  {
    path: "tests/examples/chat.test.ts",
    tier: "e2e",
    once: "node",
    alone: true,
    needs: ["chromium", "phantomjs", "redis"],
  },
  {
    path: "tests/clients/languages",
    tier: "e2e",
    once: "node",
    alone: true,
    needs: [
      ...["perl clients", "ruby client", "java clients", "python clients"] as const,
      ...["c client", "lua client", "mono"] as const,
    ],
  },
  { path: "tests/clients", tier: "e2e", once: "node" },
  {
    path: "tests/cluster",
    tier: "e2e",
    once: "node",
    waits: true,
    alone: true,
    needs: ["linux", "redis", "nats"],
  },
  { path: "tests/network", tier: "e2e", waits: true, needs: ["linux", "ip", "namespaces"] },
  { path: "tests/brokers", tier: "e2e", waits: true, needs: ["redis", "nats"] },
  { path: "tests/brokers/redis_cluster.test.ts", tier: "e2e", waits: true, needs: ["redis"] },
  { path: "tests/brokers/valkey.test.ts", tier: "e2e", waits: true, needs: ["valkey"] },
  {
    path: "tests/brokers/postgres.test.ts",
    tier: "e2e",
    waits: true,
    needs: ["linux", "postgres"],
  },
  { path: "tests/brokers/envelope.test.ts", tier: "unit" },
  {
    path: "tests/proxies",
    tier: "e2e",
    waits: true,
    needs: ["haproxy", "nginx", "caddy", "apache", "lighttpd", "nghttpx"],
  },
  {
    path: "tests/proxies/forward.test.ts",
    tier: "e2e",
    waits: true,
    needs: ["tinyproxy", "microsocks"],
  },
  {
    path: "tests/examples/status.test.ts",
    tier: "e2e",
    once: "node",
    waits: true,
    alone: true,
    needs: ["chromium"],
  },
  {
    path: "tests/examples/cluster.test.ts",
    tier: "e2e",
    waits: true,
    needs: ["linux", "redis", "nats"],
  },
  { path: "tests/examples", tier: "system", waits: true },
  { path: "tests/client/peers.test.ts", tier: "e2e", waits: true },
  { path: "tests/client/waiting.test.ts", tier: "system", waits: true },
  { path: "tests/cli/process.test.ts", tier: "system", waits: true },
  {
    path: "tests/cli/terminal.test.ts",
    tier: "system",
    waits: true,
    once: "node",
    needs: ["linux", "script"],
  },
  { path: "tests/http/clients.test.ts", tier: "e2e", waits: true, needs: ["curl", "wrk"] },
  { path: "tests/peers", tier: "e2e", once: "node", waits: true },
  { path: "tests/tornado", tier: "e2e", waits: true, needs: ["tornado"] },
  { path: "tests/tornado/one_end.test.ts", tier: "unit" },
  { path: "tests/frameworks", tier: "e2e", waits: true },
  { path: "tests/simulation", tier: "system", once: "bun" },
  { path: "tests/conformance", tier: "system" },
  { path: "tests/server/memory.test.ts", tier: "system" },
  { path: "tests/memory", tier: "system" },
  { path: "tests/memory/freed.test.ts", tier: "system", once: "node", needs: ["linux"] },
  { path: "tests/server/descriptors.test.ts", tier: "system", waits: true, needs: ["linux"] },
  { path: "tests/attach/process.test.ts", tier: "system", waits: true },
  { path: "tests/server/inherited.test.ts", tier: "system", waits: true, once: "node" },
  { path: "tests/server/process.test.ts", tier: "system", waits: true },
  { path: "tests/server/restart.test.ts", tier: "system", waits: true, needs: ["linux"] },
  { path: "tests/server/endless.test.ts", tier: "system" },
  { path: "tests/transport", tier: "system" },
  { path: "tests/documentation.test.ts", tier: "system", once: "deno" },
  { path: "tests/architecture.test.ts", tier: "system", once: "deno" },
  { path: "tests/readme.test.ts", tier: "system", once: "deno" },
  { path: "tests/workflow.test.ts", tier: "system", once: "deno" },
  { path: "tests/bench", tier: "system", once: "deno" },
  { path: "tests/scale", tier: "system", once: "deno" },
  { path: "tests/runner", tier: "system", once: "deno" },
  { path: "tests/mutation", tier: "system", once: "deno" },
  { path: "tests/digest/md5_sha1_wasm.test.ts", tier: "system", once: "deno" },
  { path: "tests/protocol/xor_mask_wasm.test.ts", tier: "system", once: "deno" },
  { path: "tests/fuzz", tier: "unit", once: "node" },
  { path: "tests/support/chaos_proxy.test.ts", tier: "unit", once: "node" },
];

/** The suite of a test file. */
export function suiteOf(file: string): Suite {
  return SUITES.filter(({ path }) => isIn(path, file))
    .reduce((best, suite) => suite.path.length > best.path.length ? suite : best, REST);
}

/** Whether a path is the file itself or a folder that contains it. */
export function isIn(path: string, file: string): boolean {
  return file === path || file.startsWith(`${path.replace(/\/$/, "")}/`);
}
