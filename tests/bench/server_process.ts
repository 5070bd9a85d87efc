/**
 * Starts and stops a server of the benchmark on its own core.
 *
 * @module
 */

import { root, runtimeCommand } from "./runtimes.ts";
import type { Subject } from "./subjects.ts";

/** The core of the server. */
export const SERVER_CORE = 0;
/** The core of the load generator. */
export const LOAD_CORE = 1;

/** A server that is ready. */
export interface ServerProcess extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

/** A command pinned to one core, if the machine has several. */
export function pinned(core: number, command: readonly string[]): string[] {
  const canPin = Deno.build.os === "linux" && navigator.hardwareConcurrency > 1;
  return canPin ? ["taskset", "--cpu-list", String(core), ...command] : [...command];
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function waitForReady(output: ReadableStream<Uint8Array>): Promise<void> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of output.values({ preventCancel: true })) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("ready")) return;
  }
  throw new Error(`The server ended before it was ready: ${text.trim()}`);
}

function rejectAfter(milliseconds: number): Promise<never> {
  return new Promise((_, reject) => {
    const late = () => reject(new Error(`The server was not ready within ${milliseconds} ms`));
    Deno.unrefTimer(setTimeout(late, milliseconds));
  });
}

/** The mode of the raw servers. The other servers choose by the request's path. */
export type RawMode = "echo" | "fan" | "idle";

/** Options of a server. */
export interface ServerOptions {
  /** Whether it speaks TLS. */
  readonly tls?: boolean;
  /** More arguments. Default: none. */
  readonly flags?: readonly string[];
  /** Its core. Default: {@linkcode SERVER_CORE}. */
  readonly core?: number;
}

function startCommand(
  subject: Subject,
  rawMode: RawMode,
  port: number,
  { tls = false, flags = [] }: ServerOptions,
): string[] {
  const file = `${root}/tests/bench/${subject.file}`;
  const command = [...runtimeCommand(subject.runtime, file), String(port)];
  if (subject.format === "raw") command.push(rawMode);
  else command.push(...flags, ...(subject.flags ?? []));
  const folder = `${root}/tests/support/tls`;
  return tls ? [...command, "--tls", `${folder}/cert.pem`, `${folder}/key.pem`] : command;
}

/** Starts a server and waits up to ten seconds until it prints `ready`. */
export async function startServer(
  subject: Subject,
  rawMode: RawMode,
  options: ServerOptions = {},
): Promise<ServerProcess> {
  const port = freePort();
  const { core = SERVER_CORE } = options;
  const command = pinned(core, startCommand(subject, rawMode, port, options));
  // Ten thousand connections need ten thousand file descriptors. With exec, the process id stays.
  const script = 'ulimit -n "$(ulimit -Hn)"; exec "$@"';
  const child = new Deno.Command("sh", {
    args: ["-c", script, "sh", ...command],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const stop = async () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // The process has already ended.
    }
    await child.status;
  };
  try {
    await Promise.race([waitForReady(child.stdout), rejectAfter(10_000)]);
  } catch (error) {
    await stop();
    throw error;
  }
  const drained = child.stdout.pipeTo(new WritableStream()).catch(() => {});
  return {
    port,
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      await stop();
      await drained;
    },
  };
}
