/**
 * Holds idle connections in its own process, so that it does not slow down the measurement:
 * `idle.ts PORT COUNT`.
 *
 * @module
 */
import process from "node:process";
import { makeTally, openAll } from "./client.ts";

const [port = 0, count = 0] = process.argv.slice(2).map(Number);
await openAll(port, makeTally(), count);
console.log("held");
