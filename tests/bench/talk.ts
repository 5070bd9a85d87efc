/**
 * Runs `clients/talk.ts`: as the client that is measured, or as the load of a server that the load
 * generator in C cannot talk to.
 *
 * @module
 */
import type { Sample } from "./judge.ts";
import { root, runtimeCommand } from "./runtimes.ts";
import {
  LOAD_CORE,
  pinned,
  SERVER_CORE,
  type ServerProcess,
  startServer,
} from "./server_process.ts";
import { type Subject, waterspout } from "./subjects.ts";
import type { Workload } from "./workloads.ts";

/** The times of a run, in seconds. */
export interface Times {
  readonly warmUp: number;
  readonly seconds: number;
}

/** The output of `clients/talk.ts`. */
interface Output {
  readonly perSecond: number;
  /** CPU time for a message, in microseconds. */
  readonly ownCpu: number;
  readonly serverCpu: number;
  readonly memory: number;
  readonly bad: number;
}

/** Who talks, and on which core. */
interface Talker {
  readonly command: readonly string[];
  readonly core: number;
  readonly kind: string;
  readonly scheme: "ws" | "wss";
}

async function talk(
  { command, core, kind, scheme }: Talker,
  server: ServerProcess,
  load: Pick<Workload, "connections" | "inFlight" | "size"> & Times,
): Promise<Output> {
  const { connections, inFlight, size, warmUp, seconds } = load;
  const numbers = [connections, inFlight, size, warmUp, seconds, server.pid].map(String);
  const [program = "", ...args] = pinned(core, [
    ...command,
    kind,
    `${scheme}://127.0.0.1:${server.port}/`,
    ...numbers,
  ]);
  const result = await new Deno.Command(program, { args }).output();
  const stdout = new TextDecoder().decode(result.stdout).trim();
  if (stdout === "") throw new Error(new TextDecoder().decode(result.stderr).trim());
  const output: Output = JSON.parse(stdout);
  if (!result.success) throw new Error(`${output.bad} bad messages`);
  return output;
}

function toSample({ perSecond, memory }: Output, cpu: number): Sample {
  return {
    throughput: perSecond,
    p50: NaN,
    p99: NaN,
    cpu,
    bytesPerConnection: NaN,
    deflated: NaN,
    memory,
    clientLoad: 0,
    disturbance: 0,
  };
}

const FILE = `${root}/tests/bench/clients/talk.ts`;

/** Measures a client. Our server on Bun, on the other core, sends the messages back. */
export async function measureClient(
  { runtime, flags }: Subject,
  workload: Workload,
  times: Times,
): Promise<Sample> {
  await using server = await startServer(waterspout("bun", "hybi"), "echo", { core: LOAD_CORE });
  const talker = {
    command: runtimeCommand(runtime, FILE),
    core: SERVER_CORE,
    kind: flags?.[0] ?? "",
    scheme: "ws",
  } as const;
  const output = await talk(talker, server, { ...workload, ...times });
  return toSample(output, output.ownCpu);
}

/** Measures a server over HTTP/2, or over HTTP/1.1 with the same load, which is our client on Node. */
export async function measureStreams(
  subject: Subject,
  workload: Workload,
  times: Times,
): Promise<Sample> {
  await using server = await startServer(subject, "echo", workload);
  const talker = {
    command: runtimeCommand("node", FILE),
    core: LOAD_CORE,
    kind: subject.flags?.includes("--http2") ? "http2" : "ours",
    scheme: "wss",
  } as const;
  const output = await talk(talker, server, { ...workload, ...times });
  return toSample(output, output.serverCpu);
}
