/**
 * A world: applications, clients, a network and a clock in one process, run step by step from a plan.
 * After every turn of the event loop, the invariants are checked.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import process from "node:process";
import { Application } from "../../src/server/application.ts";
import { memoryPair } from "../../src/transport/memory.ts";
import { dice } from "../fuzz/mutate.ts";
import { Hub, type SimulatedBroker } from "./broker.ts";
import { SimulatedClient } from "./client.ts";
import { SimulatedClock } from "./clock.ts";
import { SimulatedHandler, type Stage, TOPIC } from "./handler.ts";
import { Member, must } from "./member.ts";
import { type Link, Network } from "./network.ts";
import {
  type Plan,
  type PlannedClient,
  type PlanSettings,
  PROCESSES,
  showStep,
  type Step,
} from "./plan.ts";

/** The result of a plan. */
export interface Outcome {
  /** The invariant that does not hold; `undefined` if all hold. */
  readonly failure: string | undefined;
  /** All steps and decoded events, in order. */
  readonly trace: readonly string[];
  /** How many connections were made. */
  readonly connections: number;
}

/** The most deliveries and turns while a world settles. More means an endless loop. */
const MANY = 200_000;

/** How long a world may take to end after its last step, in simulated milliseconds. */
const END = 3_600_000;

/** Waits for one turn of the event loop, so that every promise that can settle does. */
function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** One process of a world. */
interface Process {
  readonly app: Application;
  readonly broker: SimulatedBroker;
  readonly logged: string[];
  stopping: boolean;
  shutdown: Promise<void> | undefined;
}

/** Where one client is connected. */
interface Seat {
  readonly member: Member;
  readonly client: SimulatedClient;
  readonly link: Link;
}

/** One world. */
export class World implements Stage {
  readonly clock = new SimulatedClock();
  readonly trace: string[] = [];
  readonly settings: PlanSettings;
  readonly #plan: Plan;
  readonly #network = new Network();
  readonly #processes: Process[] = [];
  readonly #seats = new Map<number, Seat>();
  readonly #members = new Map<string, Member>();
  #published = 0;
  /** The longest frame of the topic, in bytes. */
  #largestPublished = 0;
  #partitioned = false;
  #slept = false;

  /** @param plan What happens. */
  constructor(plan: Plan) {
    this.#plan = plan;
    this.settings = plan.settings;
    const hub = new Hub(this.#network);
    for (let index = 0; index < PROCESSES; index++) this.#processes.push(this.#start(hub));
  }

  #start(hub: Hub): Process {
    const logged: string[] = [];
    const broker = hub.join();
    const app = new Application([["/c/:name", SimulatedHandler, this as Stage]], {
      ...this.#plan.settings,
      versions: ["draft75", "draft76", "hybi-07", "hybi-08", "rfc6455"],
      broker,
      clock: this.clock,
      log: (message, error) => {
        logged.push(`${message} ${error instanceof Error ? error.message : ""}`);
      },
    });
    return {
      app: app as unknown as Application,
      broker,
      logged,
      stopping: false,
      shutdown: undefined,
    };
  }

  // --- The stage of the handlers ----------------------------------------------------------------

  /** See {@linkcode Stage.member}. */
  member(name: string): Member {
    const member = this.#members.get(name);
    if (member === undefined) throw new Error(`no member ${name}`);
    return member;
  }

  /** See {@linkcode Stage.publish}. */
  publish(handler: SimulatedHandler): void {
    const message = this.#expect(handler.member.plan.process, handler.member);
    const { sent, disconnected } = handler.publish(TOPIC, message);
    this.trace.push(`${handler.member.name} publishes ${sent} ${disconnected}`);
  }

  /** The next message of the topic, from a process or a member of it. Its subscribers there must get it. */
  #expect(process: number, publisher?: Member, size = 10): string {
    const message = `t ${publisher?.name ?? `process${process}`} ${this.#published++} ${
      "y".repeat(size)
    }`;
    const { maxBufferedAmount } = this.settings;
    this.#largestPublished = Math.max(this.#largestPublished, message.length + 14);
    for (const member of this.#members.values()) {
      if (member === publisher) continue;
      // Another process may get it later than this one, and after a subscription.
      member.wrote(message.length + 14, maxBufferedAmount);
      const { handler, plan } = member;
      if (handler.subscribed && plan.process === process) handler.published.push(message);
    }
    return message;
  }

  // --- Steps ------------------------------------------------------------------------------------

  /** Runs the plan, then ends everything. */
  async run(): Promise<Outcome> {
    const unhandled: string[] = [];
    const onUnhandled = (error: unknown) => {
      unhandled.push(error instanceof Error ? error.stack ?? error.message : String(error));
    };
    process.on("unhandledRejection", onUnhandled);
    process.on("uncaughtException", onUnhandled);
    let failure: string | undefined;
    try {
      for (const step of this.#plan.steps) {
        this.trace.push(`- ${showStep(step)}`);
        await this.#step(step);
        must(unhandled.length === 0, `unhandled: ${unhandled[0]}`);
      }
      await this.#end();
      must(unhandled.length === 0, `unhandled: ${unhandled[0]}`);
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
    } finally {
      process.off("unhandledRejection", onUnhandled);
      process.off("uncaughtException", onUnhandled);
    }
    return { failure, trace: this.trace, connections: this.#seats.size };
  }

  async #step(step: Step): Promise<void> {
    switch (step.op) {
      case "deliver":
        return await this.#deliver(step.count, step.seed);
      case "settle":
        return await this.#settle(step.seed);
      case "advance":
        return await this.#advance(step.time, step.seed);
      case "sleep":
        this.#slept = true;
        for (const { member } of this.#seats.values()) member.causes.add("timeout");
        this.clock.moveTo(this.clock.now() + step.time);
        return;
      case "publish":
        this.#processes[step.process]?.app.publish(
          TOPIC,
          this.#expect(step.process, undefined, step.size),
        );
        break;
      case "partition":
      case "heal":
        this.#partition(step.process, step.op === "partition");
        break;
      case "shutdown":
        this.#shutdown(step.process);
        break;
      case "connect":
        this.#connect(step.client);
        break;
      default:
        this.#act(step);
    }
    await this.#turn();
  }

  #partition(process: number, isCut: boolean): void {
    this.#partitioned ||= isCut;
    const broker = this.#processes[process]?.broker;
    if (broker !== undefined) broker.isCut = isCut;
  }

  #shutdown(index: number): void {
    const process = this.#processes[index];
    if (process === undefined) return;
    process.stopping = true;
    for (const { member } of this.#seats.values()) {
      if (member.plan.process === index && member.handler.ended === undefined) {
        member.causes.add("shutdown");
      }
    }
    const shutdown = process.app.shutdown();
    process.shutdown ??= shutdown;
  }

  #connect(index: number): void {
    const planned = this.#plan.clients[index];
    if (planned === undefined || this.#seats.has(index)) return;
    const member = new Member(`c${index}`, planned, (line) => this.trace.push(line));
    this.#members.set(member.name, member);
    if (this.settings.idleTimeout > 0 || this.#slept) member.causes.add("timeout");
    if (this.#processes[planned.process]?.stopping) member.causes.add("shutdown");
    this.#seats.set(index, this.#seat(member, planned));
  }

  #seat(member: Member, { process, split, capacity, reusesChunks }: PlannedClient): Seat {
    const link = this.#network.link();
    const [near, far] = memoryPair({
      schedule: link.schedule,
      split: splitter(split, this.#seats.size),
      capacity,
      transfersChunks: !reusesChunks,
    });
    this.#processes[process]?.app.accept(near);
    const { clock, settings: { maxMessageSize } } = this;
    return { member, link, client: new SimulatedClient(member, far, { clock, maxMessageSize }) };
  }

  #act(step: Step & { readonly client: number }): void {
    const seat = this.#seats.get(step.client);
    if (seat === undefined) return;
    const { member, client, link } = seat;
    if (step.op === "stall") {
      const { client } = member;
      if (!client.stalled) client.stalledAt = this.clock.now();
      link.stalled = client.stalled = client.wasStalled = true;
      member.causes.add("timeout");
    } else if (step.op === "flow") {
      member.client.stalled = false;
      link.flow();
    } else client.act(step);
  }

  // --- Time and deliveries ----------------------------------------------------------------------

  async #turn(): Promise<void> {
    await turn();
    for (const { member } of this.#seats.values()) {
      member.checkNow(this.settings, this.#largestPublished);
    }
  }

  async #deliver(count: number, seed: number): Promise<void> {
    const next = dice(seed);
    for (let left = count; left > 0; left--) {
      if (!this.#network.deliver(next) && !this.clock.turn()) break;
      await this.#turn();
    }
  }

  /** Delivers everything that is not stalled, until nothing more happens. */
  async #settle(seed: number): Promise<void> {
    const next = dice(seed);
    let quiet = 0;
    for (let left = MANY; quiet < 3; left--) {
      must(left > 0, "the world does not settle");
      const happened = this.#network.deliver(next) || this.clock.turn();
      quiet = happened ? 0 : quiet + 1;
      await this.#turn();
    }
    const now = this.clock.now();
    for (const { member } of this.#seats.values()) {
      member.checkSettled(this.settings, now, !this.#slept);
    }
    for (const { app } of this.#processes) {
      const { sockets } = app.stats();
      const { maxConnections } = this.settings;
      must(sockets <= maxConnections, `${sockets} sockets of at most ${maxConnections}`);
    }
  }

  /** Moves the time, from timer to timer. */
  async #advance(time: number, seed: number): Promise<void> {
    const end = this.clock.now() + time;
    await this.#settle(seed);
    while (this.clock.runNext(end)) {
      await this.#turn();
      await this.#settle(seed);
    }
    this.clock.moveTo(end);
  }

  /** Ends stalls, shuts the applications down, and checks that nothing is left. */
  async #end(): Promise<void> {
    this.trace.push("- the end");
    for (const { member, link } of this.#seats.values()) {
      member.client.stalled = false;
      link.flow();
    }
    await this.#settle(1);
    for (const index of this.#processes.keys()) this.#shutdown(index);
    let finished = 0;
    for (const { shutdown } of this.#processes) shutdown?.then(() => finished++);
    await this.#advance(END, 2);
    must(finished === PROCESSES, "the shutdown did not end");
    for (const { member } of this.#seats.values()) member.checkEnd(!this.#slept);
    for (const { app } of this.#processes) this.#checkStats(app);
    must(this.clock.timers === 0, `${this.clock.timers} timers are left`);
  }

  #checkStats(app: Application): void {
    const { connections, sockets, topics, subscriptions } = app.stats();
    let opens = 0;
    for (const { member } of this.#seats.values()) {
      if (this.#processes[member.plan.process]?.app === app) opens += member.handler.opens;
    }
    must(connections.total === opens, `${connections.total} connections counted, ${opens} opened`);
    const left = { open: connections.open, sockets, topics, subscriptions };
    must(
      Object.values(left).every((count) => count === 0),
      `counters are left: ${JSON.stringify(left)}`,
    );
  }
}

/** How many bytes arrive one by one before chunks grow. */
const SINGLE_BYTES = 600;

/** Splits what is available, in both directions. */
function splitter(split: PlannedClient["split"], seed: number): (available: number) => number {
  const next = dice(seed);
  let chunks = 0;
  if (split === "whole") return (available) => available;
  if (split === "random") return () => 1 + next(2000);
  return () => ++chunks <= SINGLE_BYTES ? 1 : 1 + next(1000);
}

/** Runs a plan. */
export function runPlan(plan: Plan): Promise<Outcome> {
  return new World(plan).run();
}
