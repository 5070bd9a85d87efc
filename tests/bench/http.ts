/**
 * Compares small plain HTTP responses of Waterspout with those of the runtime's own server. Uses `wrk`:
 * `deno task bench:http [RUNTIME] [ROUNDS]`. Default: Node, 5 rounds. In each round, every server is
 * measured for 2 seconds.
 *
 * @module
 */
import process from "node:process";
import { findExecutable, runtimes } from "../support/runtime.ts";
import { Child, spawnScript } from "../support/spawn.ts";

/** The servers of `small_response.ts`. */
const KINDS = {
  node: ["node", "node-fetch", "objects", "transport", "waterspout"],
  bun: ["own", "waterspout"],
  deno: ["own", "waterspout"],
} as const;
const runtime = runtimes.find((name) => name === process.argv[2]) ?? "node";
const kinds = KINDS[runtime];
const rounds = Number(process.argv.slice(2).find((argument) => /^\d+$/.test(argument)) ?? 5);

/** One measurement. */
interface Sample {
  /** Requests per second. */
  readonly rate: number;
  /** The server's CPU time for each request, in microseconds. */
  readonly cpu: number;
}

async function measure(port: number): Promise<Sample> {
  const url = `http://127.0.0.1:${port}`;
  const used = async () => Number(await (await fetch(`${url}/cpu`)).text());
  const before = await used();
  const wrk = new Child([findExecutable("wrk"), "-t1", "-c32", "-d2s", `${url}/`]);
  await wrk.exited;
  const [, requests] = /(\d+) requests in/.exec(wrk.output) ?? [];
  const [, rate] = /Requests\/sec: +([\d.]+)/.exec(wrk.output) ?? [];
  if (requests === undefined || /Non-2xx|Socket errors/.test(wrk.output)) {
    throw new Error(`Cannot measure: ${wrk.output}`);
  }
  return { rate: Number(rate), cpu: (await used() - before) / Number(requests) };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? NaN;
}

const servers = kinds.map((kind) =>
  spawnScript("tests/bench/servers/small_response.ts", [kind], { runtime })
);
try {
  const ports: number[] = [];
  for (const server of servers) ports.push(Number((await server.waitFor(/^\d+$/m))[0]));
  // The first round warms up.
  const samples = kinds.map((): Sample[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, port] of ports.entries()) {
      const sample = await measure(port);
      if (round > 0) samples[i]?.push(sample);
    }
  }
  console.log(
    `| ${runtime} | requests/s | µs of CPU per request | least |\n| --- | --- | --- | --- |`,
  );
  for (const [i, kind] of kinds.entries()) {
    const of = samples[i] ?? [];
    const cpus = of.map(({ cpu }) => cpu);
    const rate = Math.round(median(of.map((sample) => sample.rate)));
    console.log(
      `| ${kind} | ${rate} | ${median(cpus).toFixed(1)} | ${Math.min(...cpus).toFixed(1)} |`,
    );
  }
} finally {
  await Promise.all(servers.map((server) => server.stop()));
}
