/**
 * Builds the load generator and runs it.
 *
 * @module
 */

import type { Sample } from "./judge.ts";
import { root } from "./runtimes.ts";
import { LOAD_CORE, pinned, type ServerProcess } from "./server_process.ts";
import type { Format } from "./subjects.ts";

const FOLDER = `${root}/tests/bench/load`;
/** A folder that git ignores: the load generator, and the figures of each run. */
export const BUILD_FOLDER = `${root}/tests/bench/results/tmp`;
const PROGRAM = `${BUILD_FOLDER}/wsload`;

/** The load of one run. */
export interface Load {
  readonly mode: "echo" | "reply" | "burst" | "fanout" | "handshake" | "idle";
  readonly format: Format;
  readonly connections: number;
  /** Messages in flight on each connection. */
  readonly inFlight: number;
  /** Bytes of a message. */
  readonly size: number;
  readonly binary: boolean;
  readonly tls: boolean;
  /** Default: `"none"`. */
  readonly deflate?: "none" | "deflate" | "takeover";
  /** Fragments of a message. Default: 1. */
  readonly fragments?: number;
  /** Header fields to add to each request. Default: 0. */
  readonly fields?: number;
  /** Measured time, in seconds. */
  readonly seconds: number;
  /** Warm-up before the measured time, in seconds. */
  readonly warmUp: number;
}

/** The used part of the generator's output. */
interface Output {
  readonly msgs_s?: number;
  readonly p50_us?: number;
  readonly p99_us?: number;
  readonly srv_us_per_msg?: number;
  readonly srv_wait_pct?: number;
  readonly cli_cpu_pct?: number;
  readonly cli_wait_pct?: number;
  readonly rss_kb?: number;
  readonly bytes_per_conn?: number;
  readonly deflated?: number;
  readonly errors: number;
  readonly bad: number;
  readonly lost: number;
}

/** Compiles the load generator with the system's C compiler. */
export async function buildLoadGenerator(): Promise<void> {
  await Deno.mkdir(BUILD_FOLDER, { recursive: true });
  const sources: string[] = [];
  for await (const { name } of Deno.readDir(FOLDER)) {
    if (name.endsWith(".c")) sources.push(`${FOLDER}/${name}`);
  }
  const { success } = await new Deno.Command("cc", {
    args: ["-O2", "-o", PROGRAM, ...sources, "-lssl", "-lcrypto", "-lz"],
  }).spawn().status;
  if (!success) throw new Error("Cannot build the load generator: cc failed");
}

function argumentsFor(load: Load, server: ServerProcess): string[] {
  const args = [load.mode, "-p", String(server.port), "--pid", String(server.pid)];
  args.push("-n", String(load.connections), "-P", String(load.inFlight), "-s", String(load.size));
  args.push("-t", String(load.seconds), "-w", String(load.warmUp));
  if (load.format !== "hybi") args.push(`--${load.format}`);
  if (load.binary && load.format !== "draft76" && load.format !== "mixed") args.push("-b");
  if (load.tls) args.push("--tls");
  const { deflate = "none", fragments, fields } = load;
  if (fragments !== undefined && load.format === "hybi") args.push("-F", String(fragments));
  if (fields !== undefined) args.push("-H", String(fields));
  if (deflate !== "none") args.push(`--${deflate}`);
  return args;
}

function toSample(output: Output): Sample {
  return {
    throughput: output.msgs_s ?? NaN,
    p50: output.p50_us ?? NaN,
    p99: output.p99_us ?? NaN,
    cpu: output.srv_us_per_msg ?? NaN,
    bytesPerConnection: output.bytes_per_conn ?? NaN,
    deflated: output.deflated ?? NaN,
    memory: (output.rss_kb ?? NaN) * 1024,
    clientLoad: (output.cli_cpu_pct ?? 0) / 100,
    disturbance: Math.max(output.srv_wait_pct ?? 0, output.cli_wait_pct ?? 0) / 100,
  };
}

/** Runs a load against a server. Throws if any byte or connection was wrong. */
export async function runLoad(load: Load, server: ServerProcess): Promise<Sample> {
  const [command, ...args] = pinned(LOAD_CORE, [PROGRAM, ...argumentsFor(load, server)]);
  const result = await new Deno.Command(command ?? PROGRAM, { args }).output();
  const stdout = new TextDecoder().decode(result.stdout).trim();
  const stderr = new TextDecoder().decode(result.stderr).trim();
  if (stdout === "") throw new Error(stderr || `wsload ended with ${result.code}`);
  const output: Output = JSON.parse(stdout);
  if (!result.success) {
    const { errors, bad, lost } = output;
    throw new Error(`${errors} errors, ${bad} bad messages, ${lost} connections lost ${stderr}`);
  }
  return toSample(output);
}
