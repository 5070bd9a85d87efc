/**
 * Draws the plan of a world from a seed.
 *
 * @module
 */
import type { ConnectionRate } from "../../src/connection/flood_control.ts";
import { type Dice, dice } from "../fuzz/mutate.ts";
import { VERSIONS } from "../support/wire_client.ts";
import {
  BEHAVIOURS,
  CALM_BEHAVIOURS,
  CALM_COMMANDS,
  CALM_REQUESTS,
  type ClientStep,
  COMMANDS,
  type Plan,
  type PlannedClient,
  type PlanSettings,
  PROCESSES,
  REQUESTS,
  type Step,
} from "./plan.ts";

function pick<T>(next: Dice, list: readonly [T, ...T[]] | readonly T[]): T {
  return list[next(list.length)] as T;
}

function seedOf(next: Dice): number {
  return next(2 ** 31);
}

function drawRate(next: Dice, perSecond: number): ConnectionRate | undefined {
  if (next(5) > 0) return undefined;
  const burst = perSecond * pick(next, [1, 3]);
  return { perSecond, burst, action: pick(next, ["wait", "wait", "close"] as const) };
}

function drawSettings(next: Dice): PlanSettings {
  const highWaterMark = pick(next, [1, 1000, 65_536]);
  return {
    maxMessageSize: pick(next, [300, 5000, 1_000_000, 1_000_000]),
    maxQueuedSize: pick(next, [1, 1, 2000, 65_536]),
    highWaterMark,
    maxBufferedAmount: highWaterMark + pick(next, [1, 3000, 1_000_000]),
    pingInterval: pick(next, [0, 1000, 20_000]),
    pingTimeout: pick(next, [0, 500, 20_000]),
    idleTimeout: pick(next, [0, 0, 3000]),
    closeTimeout: pick(next, [0, 100, 5000]),
    handshakeTimeout: pick(next, [0, 1000, 10_000]),
    keepAliveTimeout: pick(next, [0, 2000, 5000]),
    maxConnections: pick(next, [3, 1000, 1000]),
    maxConnectionsPerAddress: pick(next, [2, Infinity, Infinity]),
    maxBodySize: pick(next, [500, 100_000]),
    messageRate: drawRate(next, pick(next, [2, 20])),
    byteRate: drawRate(next, pick(next, [500, 10_000])),
    handshakeRate: next(6) === 0 ? { perSecond: 0.1, burst: 2 } : undefined,
    compression: pick(next, ["none", "each", "window"] as const),
  };
}

const KINDS = ["raw", "raw", "raw", "raw", "own", "own", "http"] as const;

function drawClient(
  next: Dice,
  { isCalm, kind }: Pick<PlannedClient, "isCalm" | "kind"> = {
    isCalm: next(2) === 0,
    kind: pick(next, KINDS),
  },
): PlannedClient {
  const drawn = pick(next, ["listener", "listener", "upgrade", "stream"] as const);
  const isStream = drawn === "stream" && kind === "raw";
  const arrival = isStream
    ? pick(next, ["stream", "queued stream"] as const)
    : kind === "http" || drawn === "stream"
    ? "listener"
    : drawn;
  const version = isStream ? "rfc6455" : pick(next, [...VERSIONS, "rfc6455", "rfc6455"] as const);
  const isOurs = arrival === "listener";
  return {
    kind,
    version,
    process: next(PROCESSES),
    arrival,
    opening: isCalm || kind === "own" || next(4) > 0
      ? "whole"
      : isOurs
      ? pick(next, ["silent", "partial", "slow"] as const)
      // The HTTP server in front limits the time of the head. After it, draft76 has its key3.
      : version === "draft76"
      ? "partial"
      : "whole",
    address: 1 + next(2),
    behaviour: isCalm ? pick(next, CALM_BEHAVIOURS) : pick(next, BEHAVIOURS),
    reading: pick(
      next,
      ["whole", "whole", "stream", "slow stream", "part of stream"] as const,
    ),
    split: pick(next, ["bytes", "random", "whole", "whole"] as const),
    capacity: pick(next, [0, 100, 65_536]),
    isCalm,
    isEager: next(4) === 0,
    isStubborn: !isCalm && next(4) === 0,
    compresses: next(3) > 0,
    reusesChunks: next(2) === 0,
  };
}

/** The size of a message or a body. */
function drawSize(next: Dice, isCalm: boolean): number | "limit" | "over" {
  // Longer than the 64 KiB that are decompressed at a time.
  if (next(20) === 0) return 40_000;
  const size = pick(
    next,
    [0, 10, 10, 200, 2000, 20_000, 20_000, "limit", "limit", "over"] as const,
  );
  return size === "over" && isCalm ? "limit" : size;
}

function drawSend(next: Dice, client: number, { kind, isCalm }: PlannedClient): ClientStep {
  const count = next(3) === 0 ? 1 + next(6) : 1;
  if (kind === "http") {
    return {
      op: "request",
      client,
      command: pick(next, isCalm ? CALM_REQUESTS : REQUESTS),
      size: drawSize(next, isCalm),
      chunked: next(2) === 0,
      count: Math.min(count, 3),
    };
  }
  return {
    op: "send",
    client,
    commands: Array.from({ length: count }, () => pick(next, isCalm ? CALM_COMMANDS : COMMANDS)),
    size: drawSize(next, isCalm),
    fragments: 1 + (next(4) === 0 ? next(4) : 0),
    binary: next(4) === 0,
  };
}

function drawTime(next: Dice): Step {
  if (next(10) === 0) return { op: "hurry", time: 60, seed: seedOf(next) };
  return { op: "advance", time: pick(next, [1, 60, 600, 6000, 60_000]), seed: seedOf(next) };
}

function drawStep(next: Dice, clients: readonly PlannedClient[]): Step {
  const client = next(clients.length);
  const planned = clients[client] as PlannedClient;
  const kind = next(100);
  if (kind < 41) return drawSend(next, client, planned);
  if (kind < 59) return { op: "deliver", count: 1 + next(30), seed: seedOf(next) };
  if (kind < 66) return { op: "settle", seed: seedOf(next) };
  if (kind < 75) return drawTime(next);
  if (kind < 80) return { op: "publish", process: next(PROCESSES), size: pick(next, [10, 3000]) };
  if (kind < 84) return { op: "ping", client };
  if (kind < 85) return { op: "sleep", time: pick(next, [100, 100_000]) };
  if (kind < 88) {
    const op = pick(next, ["partition", "heal", "repeat"] as const);
    return { op, process: next(PROCESSES) };
  }
  if (kind < 89) return { op: "shutdown", process: next(PROCESSES) };
  if (planned.isCalm) return { op: "settle", seed: seedOf(next) };
  if (kind < 91) return { op: "close", client, code: pick(next, [0, 1000, 1001, 3000, 4999]) };
  if (kind < 92) return { op: "garbage", client, seed: seedOf(next) };
  return {
    op: pick(next, ["fin", "fin", "reset", "stall", "stall", "stall", "stall", "flow"] as const),
    client,
  };
}

/** A client that will leave as {@linkcode drawDeparture} says. */
function drawLeavingClient(next: Dice): PlannedClient {
  const drawn = drawClient(next, { isCalm: false, kind: "raw" });
  const reading = next(2) === 0 ? "whole" : drawn.reading;
  return { ...drawn, opening: "whole", behaviour: "plain", reading };
}

/** A client connects, and leaves while its handler is busy, or while more waits than is read. */
function drawDeparture(next: Dice, client: number): Step[] {
  const draw = () => pick(next, ["slow", "slow", "slow", "slow-pieces", "hang"] as const);
  const commands = Array.from({ length: 1 + next(3) }, draw);
  const message = { client, fragments: 1, binary: false } as const;
  const size = pick(next, [0, 10, 200, 2000]);
  return [
    { op: "connect", client },
    { op: "settle", seed: seedOf(next) },
    { op: "send", commands, size, ...message },
    next(3) === 0
      ? { op: "deliver", count: next(20), seed: seedOf(next) }
      : { op: "settle", seed: seedOf(next) },
    // It arrives by itself, and perhaps together with FIN.
    { op: "send", commands: Array.from({ length: next(3) }, () => "echo"), size, ...message },
    { op: pick(next, ["fin", "fin", "fin", "reset"] as const), client },
    { op: "advance", time: pick(next, [600, 6000, 60_000]), seed: seedOf(next) },
  ];
}

/** A client whose input is read whole, and that never leaves. */
function drawPatientClient(next: Dice): PlannedClient {
  const drawn = drawClient(next, { isCalm: true, kind: "raw" });
  return { ...drawn, behaviour: "plain", reading: "whole", compresses: false };
}

/** A client whose message or reply is on its way when `idleTimeout` or a ping is due. */
function drawCoincidence(next: Dice, client: number, settings: PlanSettings): Step[] {
  const due = pick(next, [settings.idleTimeout, settings.pingInterval]);
  if (due === 0) return [];
  const commands = [pick(next, ["echo", "burst"] as const)];
  return [
    { op: "connect", client },
    { op: "settle", seed: seedOf(next) },
    { op: "advance", time: due - 30, seed: seedOf(next) },
    { op: "send", client, commands, size: 2000, fragments: 1, binary: false },
    { op: "deliver", count: next(20), seed: seedOf(next) },
    { op: "hurry", time: 60, seed: seedOf(next) },
    { op: "advance", time: 300, seed: seedOf(next) },
    { op: "advance", time: 6000, seed: seedOf(next) },
  ];
}

/** A rate delays a client until `idleTimeout` is over, while the rest of its message waits to be read. */
function drawDelay(
  next: Dice,
  client: number,
  { byteRate, idleTimeout, maxMessageSize }: PlanSettings,
): { readonly split: number; readonly steps: readonly Step[] } | undefined {
  if (byteRate?.action !== "wait" || idleTimeout === 0) return undefined;
  const time = pick(next, [600, 2000]);
  const split = byteRate.burst + byteRate.perSecond * (idleTimeout - time) / 1000 + 25 - next(50);
  if (2 * split > maxMessageSize) return undefined;
  return {
    split,
    steps: [
      { op: "connect", client },
      { op: "settle", seed: seedOf(next) },
      { op: "advance", time, seed: seedOf(next) },
      { op: "send", client, commands: ["echo"], size: split, fragments: 1, binary: false },
      { op: "advance", time: 6000, seed: seedOf(next) },
    ],
  };
}

/** Draws a world. */
export function drawPlan(seed: number): Plan {
  const next = dice(seed);
  const settings = drawSettings(next);
  const clients = Array.from({ length: 1 + next(8) }, () => drawClient(next));
  const steps: Step[] = [];
  for (const client of clients.keys()) {
    steps.push({ op: "connect", client });
    if (next(2) === 0) steps.push({ op: "deliver", count: next(40), seed: seedOf(next) });
  }
  for (let left = 10 + next(60); left > 0; left--) {
    steps.push(drawStep(next, clients));
    if (next(60) > 0) continue;
    steps.push(...drawDeparture(next, clients.length));
    clients.push(drawLeavingClient(next));
  }
  if (next(2) === 0) {
    steps.push(...drawCoincidence(next, clients.length, settings));
    clients.push(drawPatientClient(next));
  }
  const delay = drawDelay(next, clients.length, settings);
  if (delay !== undefined) {
    const { split } = delay;
    steps.push(...delay.steps);
    clients.push({ ...drawPatientClient(next), split, capacity: 65_536 });
  }
  // Some quiet time, in which everything that is due by then must happen.
  if (next(2) === 0) steps.push({ op: "advance", time: 30_000, seed: seedOf(next) });
  return { seed, settings, clients, steps };
}
