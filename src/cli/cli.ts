/**
 * The command-line tool. `connect` sends and receives messages, in any version. `probe` shows which
 * versions, extensions and subprotocols a server supports. `serve` runs an echo server.
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
 * Runs the tool in this process. Prints to standard output and standard error. `connect` also reads
 * standard input.
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

// Runtimes know `import.meta.main`, but their types may not.
if ((import.meta as { main?: boolean }).main === true) await runProcess();
