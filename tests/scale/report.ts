/**
 * The table of a scale run.
 *
 * @module
 */

/** What a run has measured. */
export interface Figures {
  readonly date: string;
  readonly machine: string;
  readonly runtime: string;
  readonly broker: string;
  /** The number of connections that were wanted. */
  readonly connections: number;
  /** The number of servers, and of swarms. */
  readonly processes: number;
  /** The number of connections that were opened. */
  readonly open: number;
  /** How long opening them took. */
  readonly openSeconds: number;
  /** The servers' CPU time for each connection, in microseconds. */
  readonly openCpu: number;
  /** The memory of the servers for each connection, in bytes. */
  readonly serverMemory: number;
  /** The memory of the kernel for both ends of each connection, in bytes. */
  readonly kernelMemory: number;
  /** For each published message, when the first and the last client had it, in seconds. */
  readonly times: readonly { readonly first: number; readonly last: number }[];
  /** Deliveries that did not happen. */
  readonly lost: number;
  /** Messages that a client got twice or out of order. */
  readonly wrong: number;
  /** Packets that the kernel dropped, because it had more at a time than its queue holds. */
  readonly droppedPackets: number;
  /** Pings that were answered in one interval. */
  readonly pings: number;
  /** The servers' CPU time for each ping and its pong, in microseconds. */
  readonly cost: number;
  /** How long the shutdown of all servers took. */
  readonly shutdownSeconds: number;
  /** Clients that got the close code 1001, or the closing handshake of a draft. */
  readonly told: number;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? NaN;
}

function milliseconds(times: readonly number[]): string {
  const time = 1000 * median(times);
  return time === Infinity ? "never" : `${Math.round(time).toLocaleString("en-US")} ms`;
}

/** How long a message takes to reach everybody. */
export function slowest({ times }: Figures): string {
  return milliseconds(times.map(({ last }) => last));
}

/** Returns the rows of the table: what was measured, and the figure. */
export function rows(figures: Figures): [name: string, figure: string][] {
  const { open, openSeconds, times } = figures;
  const whole = (number: number) => Math.round(number).toLocaleString("en-US");
  return [
    ["connections", whole(open)],
    ["server processes on one port", whole(figures.processes)],
    [
      "opening all",
      `${whole(openSeconds)} s (${whole(open / openSeconds)}/s, ${
        whole(figures.openCpu)
      } µs of CPU each)`,
    ],
    ["memory of the servers, each connection", `${whole(figures.serverMemory)} B`],
    ["memory of the kernel, both ends of each", `${whole(figures.kernelMemory)} B`],
    ["a message reaches the first client", milliseconds(times.map(({ first }) => first))],
    ["and everybody", slowest(figures)],
    ["messages lost", whole(figures.lost)],
    ["messages repeated or out of order", whole(figures.wrong)],
    ["packets dropped by the kernel", whole(figures.droppedPackets)],
    ["a ping and its pong", `${figures.cost.toFixed(1)} µs of CPU`],
    ["shutting all down", `${whole(figures.shutdownSeconds)} s`],
    ["clients that were told why", whole(figures.told)],
  ];
}

/** Makes the table of a run in Markdown. */
export function report(figures: Figures): string {
  const { runtime, broker, machine, date } = figures;
  const lines = rows(figures).map(([name, figure]) => `| ${name} | ${figure} |`);
  return [
    `| ${runtime}, joined by ${broker} | ${date}, ${machine} |`,
    "| --- | --- |",
    ...lines,
  ].join("\n");
}
