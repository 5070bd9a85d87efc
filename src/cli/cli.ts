/**
 * The command-line tool: `connect` talks to a WebSocket server in any version, `probe` tells what a
 * server speaks, and `serve` is an echo server.
 *
 * ```sh
 * npx @waterspout/websocket connect wss://example.com/socket
 * deno run -A jsr:@waterspout/websocket/cli probe wss://example.com/socket
 * ```
 *
 * @module
 */
import { runProcess, runProgram } from "./program.ts";
import { ProcessTerminal } from "./terminal.ts";

/**
 * Runs the tool in this process. It prints on standard output and standard error, and reads standard
 * input if it is connected.
 *
 * @param args The arguments after the program's name.
 * @returns The exit code: 0, 1 if a connection could not be opened or was lost, or 2 if the arguments
 * are wrong.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { main } from "@waterspout/websocket/cli";
 *
 * assertEquals(await main(["probe", "--help"]), 0);
 * assertEquals(await main(["probe", "--unknown"]), 2);
 * ```
 */
export function main(args: readonly string[]): Promise<number> {
  return runProgram(args, new ProcessTerminal());
}

// Runtimes know it, but not all of their types.
if ((import.meta as { main?: boolean }).main === true) await runProcess();
