/**
 * The plan of a world, drawn from a seed. A plan is data, so that it can be printed, and shortened while
 * it still fails.
 *
 * @module
 */
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { type Dice, dice } from "../fuzz/mutate.ts";
import { VERSIONS } from "../support/wire_client.ts";

/** The settings of both applications. */
export interface PlanSettings {
  readonly maxMessageSize: number;
  readonly maxQueuedSize: number;
  readonly highWaterMark: number;
  readonly maxBufferedAmount: number;
  readonly pingInterval: number;
  readonly pingTimeout: number;
  readonly idleTimeout: number;
  readonly closeTimeout: number;
  readonly handshakeTimeout: number;
  readonly maxConnections: number;
}

/** One client. */
export interface PlannedClient {
  readonly version: WebSocketVersion;
  /** Which application it connects to. */
  readonly process: number;
  /** What its handler does at the handshake and in `open()`. */
  readonly behaviour: Behaviour;
  /** How its bytes are split: mostly one by one, at random, or not at all. */
  readonly split: "bytes" | "random" | "whole";
  /** How many bytes may be in flight in each direction. */
  readonly capacity: number;
  /** Whether it never ends its connection. Then all of its messages must arrive. */
  readonly isCalm: boolean;
  /** Whether it sends before the handshake is complete. */
  readonly isEager: boolean;
  /** Whether it answers neither close frames nor FIN. */
  readonly isStubborn: boolean;
  /** Whether chunks are overwritten after they were delivered. */
  readonly reusesChunks: boolean;
}

/** What a handler does before the first message. */
export const BEHAVIOURS = [
  "plain",
  "slow prepare",
  "slow open",
  "writes in prepare",
  "writes in open",
  "subscribes in open",
  "closes in open",
  "throws in open",
  "rejects in open",
  "refuses in prepare",
  "throws in prepare",
  "throws in onClose",
  "slow onClose",
  "throws in onPing",
] as const;

/** One of them. */
export type Behaviour = (typeof BEHAVIOURS)[number];

const CALM_BEHAVIOURS = [
  "plain",
  "subscribes in open",
  "subscribes in open",
  "slow open",
  "writes in prepare",
  "writes in open",
] as const;

/** What a message asks its handler to do, and goes on. */
export const CALM_COMMANDS = [
  "echo",
  "echo",
  "unawaited",
  "slow",
  "burst",
  "timer",
  "subscribe",
  "unsubscribe",
  "publish",
  "publish",
  "ping",
] as const;

/** All of them. */
export const COMMANDS = [
  ...CALM_COMMANDS,
  "throw",
  "reject",
  "hang",
  "close",
  "abort",
] as const;

/** One of them. */
export type Command = (typeof COMMANDS)[number];

/** One step. A step that makes no sense, such as sending before the handshake, does nothing. */
export type Step =
  | {
    readonly op: "connect" | "fin" | "reset" | "stall" | "flow" | "ping";
    readonly client: number;
  }
  | {
    readonly op: "send";
    readonly client: number;
    readonly command: Command;
    /** How many characters it has besides number and command; `null` fills the limit exactly. */
    readonly size: number | null;
    readonly fragments: number;
    readonly binary: boolean;
    /** How many such messages are sent in a row. */
    readonly count: number;
  }
  | { readonly op: "close"; readonly client: number; readonly code: number }
  | { readonly op: "garbage"; readonly client: number; readonly seed: number }
  | { readonly op: "deliver"; readonly count: number; readonly seed: number }
  | { readonly op: "settle"; readonly seed: number }
  | { readonly op: "advance"; readonly time: number; readonly seed: number }
  | { readonly op: "sleep"; readonly time: number }
  | { readonly op: "publish"; readonly process: number; readonly size: number }
  | { readonly op: "partition" | "heal" | "shutdown"; readonly process: number };

/** A whole world. */
export interface Plan {
  readonly seed: number;
  readonly settings: PlanSettings;
  readonly clients: readonly PlannedClient[];
  readonly steps: readonly Step[];
}

/** How many applications there are, joined by a broker. */
export const PROCESSES = 2;

function pick<T>(next: Dice, list: readonly [T, ...T[]] | readonly T[]): T {
  return list[next(list.length)] as T;
}

function drawSettings(next: Dice): PlanSettings {
  const highWaterMark = pick(next, [1, 1000, 65_536]);
  return {
    maxMessageSize: pick(next, [300, 5000, 1_000_000]),
    maxQueuedSize: pick(next, [1, 2000, 65_536]),
    highWaterMark,
    maxBufferedAmount: highWaterMark + pick(next, [1, 3000, 1_000_000]),
    pingInterval: pick(next, [0, 1000, 20_000]),
    pingTimeout: pick(next, [0, 500, 20_000]),
    idleTimeout: pick(next, [0, 0, 3000]),
    closeTimeout: pick(next, [0, 100, 5000]),
    handshakeTimeout: pick(next, [0, 1000, 10_000]),
    maxConnections: pick(next, [3, 1000]),
  };
}

function drawClient(next: Dice): PlannedClient {
  const isCalm = next(2) === 0;
  return {
    version: pick(next, VERSIONS),
    process: next(PROCESSES),
    behaviour: isCalm ? pick(next, CALM_BEHAVIOURS) : pick(next, BEHAVIOURS),
    split: pick(next, ["bytes", "random", "whole", "whole"] as const),
    capacity: pick(next, [0, 100, 65_536]),
    isCalm,
    isEager: next(4) === 0,
    isStubborn: !isCalm && next(6) === 0,
    reusesChunks: next(2) === 0,
  };
}

function drawSend(next: Dice, client: number, commands: readonly Command[]): Step {
  return {
    op: "send",
    client,
    command: pick(next, commands),
    size: pick(next, [0, 10, 10, 10, 200, 2000, 20_000, null, null]),
    fragments: 1 + (next(4) === 0 ? next(4) : 0),
    binary: next(4) === 0,
    count: next(3) === 0 ? 1 + next(6) : 1,
  };
}

function drawStep(next: Dice, clients: readonly PlannedClient[]): Step {
  const client = next(clients.length);
  const isCalm = clients[client]?.isCalm === true;
  const kind = next(100);
  if (kind < 42) return drawSend(next, client, isCalm ? CALM_COMMANDS : COMMANDS);
  if (kind < 60) return { op: "deliver", count: 1 + next(30), seed: next(2 ** 31) };
  if (kind < 67) return { op: "settle", seed: next(2 ** 31) };
  if (kind < 76) {
    return { op: "advance", time: pick(next, [1, 60, 600, 6000, 60_000]), seed: next(2 ** 31) };
  }
  if (kind < 81) return { op: "publish", process: next(PROCESSES), size: pick(next, [10, 3000]) };
  if (kind < 85) return { op: "ping", client };
  if (kind < 86) return { op: "sleep", time: pick(next, [100, 100_000]) };
  if (kind < 88) {
    return { op: pick(next, ["partition", "heal"] as const), process: next(PROCESSES) };
  }
  if (kind < 89) return { op: "shutdown", process: next(PROCESSES) };
  if (isCalm) return { op: "settle", seed: next(2 ** 31) };
  if (kind < 93) return { op: "close", client, code: pick(next, [0, 1000, 1001, 3000, 4999]) };
  if (kind < 94) return { op: "garbage", client, seed: next(2 ** 31) };
  return { op: pick(next, ["fin", "reset", "stall", "stall", "flow", "flow"] as const), client };
}

/** Draws a world. */
export function drawPlan(seed: number): Plan {
  const next = dice(seed);
  const settings = drawSettings(next);
  const clients = Array.from({ length: 1 + next(8) }, () => drawClient(next));
  const steps: Step[] = [];
  for (const client of clients.keys()) {
    steps.push({ op: "connect", client });
    if (next(2) === 0) steps.push({ op: "deliver", count: next(40), seed: next(2 ** 31) });
  }
  for (let left = 10 + next(60); left > 0; left--) steps.push(drawStep(next, clients));
  return { seed, settings, clients, steps };
}

/** A step as a readable line. */
export function showStep(step: Step): string {
  const { op, ...rest } = step;
  const args = Object.entries(rest).map(([name, value]) => `${name} ${value}`);
  return [op, args.join(", ")].join(" ").trim();
}
