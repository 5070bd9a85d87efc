/**
 * The program: parses the command line and runs the command. Prints an error as one line.
 *
 * @module
 */
import { messageOf } from "../guard.ts";
import { parseArguments, type Plan, UsageError } from "./arguments.ts";
import { coloured } from "./printer.ts";
import { ProcessTerminal, type Terminal } from "./terminal.ts";

/**
 * Runs the program.
 *
 * @param args The arguments after the program's name.
 * @param terminal The input and output.
 * @returns The exit code: 0, 1 if a connection could not be opened or was lost, or 2 if the arguments
 * are wrong.
 */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await runPlan(parseArguments(args), terminal);
  } catch (error) {
    const message = messageOf(error).replace(/\s*\n\s*/g, " ");
    terminal.warn(coloured(`waterspout: ${message}`, "red", terminal));
    return isUsage(error) ? 2 : 1;
  } finally {
    await terminal.close();
  }
}

/** Runs the program with the arguments of the process, and ends the process. */
export async function runProcess(): Promise<never> {
  const terminal = new ProcessTerminal();
  return terminal.exit(await runProgram(terminal.arguments, terminal));
}

/** Loads only the modules of the command. A client starts faster without the server. */
async function runPlan(plan: Plan, terminal: Terminal): Promise<number> {
  switch (plan.command) {
    case "help":
      terminal.print(plan.text);
      return 0;
    case "connect":
      return await (await import("./connect_command.ts")).connectCommand(plan, terminal);
    case "probe":
      return await (await import("./probe_command.ts")).probeCommand(plan, terminal);
    case "serve":
      return await (await import("./serve_command.ts")).serveCommand(plan, terminal);
  }
}

/** Whether an error is a wrong argument. Wrong options of the client or server count too. */
function isUsage(error: unknown): boolean {
  return error instanceof UsageError || error instanceof TypeError || error instanceof RangeError;
}
