/**
 * One process of a world: an application with its routes, and its end of the broker.
 *
 * @module
 */
import type { Fetch } from "../../src/http/fetch.ts";
import { Application } from "../../src/server/application.ts";
import type { Clock } from "../../src/timing/clock.ts";
import { VERSIONS } from "../support/wire_client.ts";
import type { SimulatedBroker } from "./broker.ts";
import { COMMON_LEVEL } from "./frames.ts";
import { SimulatedHandler, type Stage, StreamingHandler } from "./handler.ts";
import type { PlanSettings } from "./plan.ts";

/** The shortest message that is compressed, in bytes. */
const THRESHOLD = 10;

/** One process of a world. */
export interface Process {
  readonly app: Application;
  readonly broker: SimulatedBroker;
  stopping: boolean;
  shutdown: Promise<void> | undefined;
}

/** What a process needs of its world. */
export interface ProcessOptions {
  readonly settings: PlanSettings;
  readonly clock: Clock;
  readonly stage: Stage;
  /** Answers plain HTTP requests. */
  readonly fetch: Fetch;
}

/** Starts a process. */
export function startProcess(
  broker: SimulatedBroker,
  { settings: { compression, ...settings }, clock, stage, fetch }: ProcessOptions,
): Process {
  const routes = [
    ["/c/:name", SimulatedHandler, stage],
    ["/s/:name", StreamingHandler, stage],
  ] as const;
  const app = new Application(routes, {
    ...settings,
    compression: compression === "none" ? undefined : {
      level: COMMON_LEVEL,
      threshold: THRESHOLD,
      contextTakeover: compression === "window",
    },
    fetch,
    versions: VERSIONS,
    broker,
    clock,
    log: (message, error) => stage.logged(message, error),
  });
  return { app: app as unknown as Application, broker, stopping: false, shutdown: undefined };
}
