/**
 * Runs a batch on Deno or Node, with `light_test.ts` in place of `node:test`:
 * `light_batch.ts REPORT TIMEOUT [--verbose]`. REPORT is a file for the JUnit report, TIMEOUT the time
 * limit for a test in milliseconds.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import module, { registerHooks } from "node:module";
import process from "node:process";
import { inspect } from "node:util";
import { runtime } from "../support/runtime.ts";
import { markedFile } from "./batch_events.ts";
import { formatJUnit } from "./junit.ts";
import { type LightResult, runAll } from "./light_test.ts";

const LIGHT_TEST = new URL("light_test.ts", import.meta.url).href;
const [, , report = "", timeout = "", verbose] = process.argv;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "node:test" ? { url: LIGHT_TEST, shortCircuit: true } : next(specifier, context),
});
// Only now, because its static imports are resolved before any of its code runs.
await import("./batch.ts");
// For the processes that start next. Otherwise, Node keeps compiled sources when this process ends.
if (runtime === "node") module.flushCompileCache();

/** How long nothing is printed at most, in milliseconds, while tests end. */
const QUIET = 10_000;

const results: LightResult[] = [];
let printed = performance.now();
await runAll({
  timeout: Number(timeout),
  onResult(result) {
    results.push(result);
    const { path, failure } = result;
    const name = path.join(" > ");
    if (failure !== undefined) console.log(`FAILED ${name}\n${inspect(failure.error)}`);
    // The runner kills a process that prints nothing for long.
    const isDue = performance.now() - printed > QUIET || markedFile(name) !== undefined;
    if (failure === undefined && (verbose !== undefined || isDue)) console.log(`ok ${name}`);
    if (isDue) printed = performance.now();
  },
});
writeFileSync(report, formatJUnit(results));
const code = results.some(({ failure }) => failure !== undefined) ? 1 : 0;
// Like `deno test`. On Node, the process ends when nothing is open.
if (runtime === "deno") process.exit(code);
process.exitCode = code;
