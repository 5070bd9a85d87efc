/**
 * Starts the echo example as its README says, under any runtime.
 *
 * @module
 */
import { type Runtime, runtime as own } from "./runtime.ts";
import { type Child, spawnScript } from "./spawn.ts";

/** The running example. */
export interface EchoExample {
  /** Its process; `stop("SIGINT")` is Ctrl-C. */
  readonly child: Child;
  /** The port of its page. The WebSocket is at `/websocket`. */
  readonly port: number;
}

/** The example's reply to a text. */
export function echoOf(text: string): string {
  return `You said: ${text}`;
}

/**
 * Resolves once the example has printed its URL. The test stops `child`.
 *
 * @param runtime The runtime of the example. Default: the runtime of the test.
 */
export async function startEchoExample(runtime: Runtime = own): Promise<EchoExample> {
  const child = spawnScript("examples/echo.ts", ["0"], { permission: "--allow-net", runtime });
  try {
    const [, port] = await child.waitFor(/https?:\/\/[^\s/]+:(\d+)/);
    return { child, port: Number(port) };
  } catch (error) {
    await child.stop("SIGKILL");
    throw error;
  }
}
