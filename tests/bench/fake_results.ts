/**
 * Results of a benchmark that was not run.
 *
 * @module
 */
import type { Sample } from "./judge.ts";
import type { Results, Run } from "./results.ts";
import { smallest, type Subject, subjectsOf } from "./subjects.ts";
import { type Workload, WORKLOADS } from "./workloads.ts";

/** A sample with some figures. */
export function sample(figures: Partial<Sample>): Sample {
  return {
    throughput: 1000,
    p50: 100,
    p99: 200,
    cpu: 10,
    bytesPerConnection: NaN,
    deflated: NaN,
    memory: 64 * 2 ** 20,
    clientLoad: 0.5,
    disturbance: 0,
    ...figures,
  };
}

/** A workload by its id. */
export function workload(id: string): Workload {
  const found = WORKLOADS.find((workload) => workload.id === id);
  if (found === undefined) throw new RangeError(`Cannot find workload ${id}`);
  return found;
}

/** Whether a server or a client is ours. */
function isOurs({ name }: Subject): boolean {
  return name.startsWith("Waterspout") || name === "websocketConnect";
}

/** Results in which our server has the given figures and every other server those of `sample({})`. */
export function resultsWith(
  ours: readonly Partial<Sample>[],
  others: Partial<Sample> = {},
): Results {
  const runs: Run[] = WORKLOADS.flatMap(({ id, contests }) =>
    [...subjectsOf(contests), ...contests.map((contest) => smallest(contest.ours))].flatMap((
      subject,
    ) =>
      ours.map((figures, repetition): Run => ({
        workload: id,
        subject: subject.id,
        repetition,
        sample: sample(isOurs(subject) ? { ...others, ...figures } : others),
        failure: undefined,
      }))
    )
  );
  const environment = {
    date: "2026-01-02T03:04:05.678Z",
    command: "deno task bench",
    cpu: "A processor",
    system: "A system",
    repetitions: ours.length,
    seconds: 3,
    versions: ["Bun 1", "Deno 2"],
  };
  return { environment, runs };
}
