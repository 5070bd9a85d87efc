/**
 * Connects where nobody listens, twice. Between the attempts, only the wait keeps the process alive.
 *
 * @module
 */
import { reconnecting } from "../../src/client/mod.ts";

const sockets = reconnecting("ws://127.0.0.1:1/", { maxAttempts: 2, initialDelay: 1 });
const error: unknown = await sockets.next().catch((error) => error);
console.log(`gave up: ${error instanceof Error ? error.name : error}`);
