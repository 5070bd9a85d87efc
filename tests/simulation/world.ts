/**
 * A world: applications, clients, a network and a clock in one process, run step by step from a plan.
 * After every turn of the event loop, the invariants are checked.
 *
 * @module
 */
import process from "node:process";
import type { Stats } from "../../src/metrics/snapshot.ts";
import { memoryPair, type MemoryTransport } from "../../src/transport/memory.ts";
import { type Dice, dice } from "../fuzz/mutate.ts";
import { Hub, type SimulatedBroker } from "./broker.ts";
import { randomValues, splitter } from "./chance.ts";
import { SimulatedClient } from "./client.ts";
import { SimulatedClock } from "./clock.ts";
import { checkAddresses, checkSockets, checkStats, type Happened } from "./counts.ts";
import type { Guest } from "./guest.ts";
import { type SimulatedHandler, type Stage, TOPIC } from "./handler.ts";
import { Member, must } from "./member.ts";
import { type Link, Network } from "./network.ts";
import { OwnClient } from "./own_client.ts";
import {
  type ClientStep,
  type Outcome,
  type Plan,
  type PlannedClient,
  type PlanSettings,
  PROCESSES,
  showStep,
  type Step,
} from "./plan.ts";
import { type Process, startProcess } from "./process.ts";
import { endStall, stall } from "./stall.ts";
import { acceptInFront } from "./sockets.ts";
import { turn } from "./turn.ts";
import { answer, Visitor } from "./visitor.ts";

/** The most deliveries and turns while a world settles. More means an endless loop. */
const MANY = 200_000;

/** How long a world may take to end after its last step, in simulated milliseconds. */
const END = 3_600_000;

/** The lines of the logs that are due to faults of clients and handlers, and to partitions. */
const EXPECTED = /on purpose|no such command|a simulated broker is|without a response/;

/** Where one client is connected. */
interface Seat {
  readonly guest: Guest;
  readonly link: Link;
  /** What the world knows of it: of a WebSocket or of plain HTTP. */
  readonly party: Member | Visitor;
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
  readonly #visitors = new Map<string, Visitor>();
  /** Lines of the logs that nobody has expected. */
  readonly #logged: string[] = [];
  #published = 0;
  /** The longest frame of the topic, in bytes. */
  #largestPublished = 0;
  /** Whether a client has connected since the sockets were counted. */
  #hasConnected = false;
  #slept = false;

  /** @param plan What happens. */
  constructor(plan: Plan) {
    this.#plan = plan;
    this.settings = plan.settings;
    const hub = new Hub(this.#network);
    for (let index = 0; index < PROCESSES; index++) {
      this.#processes.push(startProcess(hub.join(), {
        settings: this.settings,
        clock: this.clock,
        stage: this,
        fetch: (request) => answer(request, { visitor: this.#visitor, sleep: this.#sleep }),
      }));
    }
  }

  // --- The stage of the handlers ----------------------------------------------------------------

  /** See {@linkcode Stage.member}. */
  member(name: string): Member {
    const member = this.#members.get(name);
    if (member === undefined) throw new Error(`no member ${name}`);
    return member;
  }

  readonly #visitor = (name: string): Visitor => {
    const visitor = this.#visitors.get(name);
    if (visitor === undefined) throw new Error(`no visitor ${name}`);
    return visitor;
  };

  readonly #sleep = (time: number): Promise<void> =>
    new Promise((resolve) => void this.clock.setTimeout(resolve, time));

  /** See {@linkcode Stage.logged}. Only what was done on purpose may be logged. */
  logged(message: string, error: unknown): void {
    const text = error instanceof Error ? `${message} ${error.message}` : message;
    if (!EXPECTED.test(text)) this.#logged.push(text);
  }

  /** See {@linkcode Stage.publish}. */
  publish(handler: SimulatedHandler): void {
    const message = this.#expect(handler.member.plan.process, handler.member);
    const { sent, disconnected } = handler.publish(TOPIC, message);
    this.trace.push(`${handler.member.name} publishes ${sent} ${disconnected}`);
  }

  /** The next message of the topic, from a process or a member of it. Its subscribers there must get it. */
  #expect(process: number, publisher?: Member, size = 10): string {
    const name = publisher?.name ?? `process${process}`;
    const message = `t ${name} ${this.#published++} ${process} ${"y".repeat(size)}`;
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
    const { getRandomValues } = crypto;
    crypto.getRandomValues = randomValues(this.#plan.seed);
    process.on("unhandledRejection", onUnhandled);
    process.on("uncaughtException", onUnhandled);
    let failure: string | undefined;
    try {
      for (const step of this.#plan.steps) {
        this.trace.push(`- ${showStep(step)}`);
        await this.#step(step);
        if (step.op === "settle") this.#checkLimits();
        must(unhandled.length === 0, `unhandled: ${unhandled[0]}`);
      }
      await this.#end();
      must(unhandled.length === 0, `unhandled: ${unhandled[0]}`);
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
    } finally {
      crypto.getRandomValues = getRandomValues;
      process.off("unhandledRejection", onUnhandled);
      process.off("uncaughtException", onUnhandled);
    }
    return { failure, trace: this.trace, connections: this.#seats.size, time: this.clock.now() };
  }

  async #step(step: Step): Promise<void> {
    switch (step.op) {
      case "deliver":
        return await this.#deliver(step.count, dice(step.seed));
      case "settle":
        return await this.#settle(step.seed);
      case "advance":
        return await this.#advance(step.time, step.seed);
      case "hurry":
        return await this.#hurry(step.time, step.seed);
      case "sleep":
        this.#slept = true;
        for (const visitor of this.#visitors.values()) visitor.hasSlept = true;
        for (const member of this.#members.values()) {
          member.causes.add("timeout");
          member.hasSlept = true;
        }
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
      case "repeat":
        this.#disturb(step.process, step.op);
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

  #disturb(index: number, op: "partition" | "heal" | "repeat"): void {
    const broker = this.#processes[index]?.broker;
    if (broker === undefined) return;
    if (op !== "repeat") return void (broker.isCut = op === "partition");
    const sizes = broker.repeat();
    for (const member of this.#members.values()) {
      if (member.plan.process !== index) continue;
      for (const size of sizes) member.wrote(size, this.settings.maxBufferedAmount);
    }
  }

  #shutdown(index: number): void {
    const process = this.#processes[index];
    if (process === undefined) return;
    process.stopping = true;
    for (const member of this.#members.values()) {
      if (member.plan.process === index && member.handler.ended === undefined) {
        member.causes.add("shutdown");
      }
    }
    const shutdown = process.app.shutdown();
    process.shutdown ??= shutdown;
  }

  #connect(index: number): void {
    const plan = this.#plan.clients[index];
    if (plan === undefined || this.#seats.has(index)) return;
    const link = this.#network.link();
    const [near, far] = memoryPair({
      schedule: link.schedule,
      split: splitter(plan.split, this.#seats.size),
      capacity: plan.capacity,
      transfersChunks: !plan.reusesChunks || plan.arrival === "upgrade",
      addresses: [
        { transport: "tcp", hostname: "192.0.2.100", port: 8888 },
        { transport: "tcp", hostname: `192.0.2.${plan.address}`, port: 50_000 + index },
      ],
    });
    const process = this.#processes[plan.process];
    if (process === undefined) return;
    // The client must be known before the application asks for it.
    const seat = this.#seat(`c${index}`, plan, { link, transport: far, broker: process.broker });
    this.#seats.set(index, seat);
    this.#hasConnected = true;
    if (plan.arrival === "queued stream" && seat.party instanceof Member) {
      seat.party.handler.queued = () => near.bufferedAmount;
    }
    if (plan.arrival === "listener") process.app.accept(near);
    else acceptInFront(process.app, near, plan.arrival);
  }

  #seat(
    name: string,
    plan: PlannedClient,
    { link, transport, broker }: {
      readonly link: Link;
      readonly transport: MemoryTransport;
      readonly broker: SimulatedBroker;
    },
  ): Seat {
    const note = (line: string) => void this.trace.push(line);
    if (plan.kind === "http") {
      const visitor = new Visitor(name, { plan, transport, note }, this);
      this.#visitors.set(name, visitor);
      return { guest: visitor, link, party: visitor };
    }
    const member = new Member(name, plan, { note, broker });
    this.#members.set(name, member);
    member.client.connectedAt = this.clock.now();
    if (this.settings.idleTimeout > 0 || this.#slept) member.causes.add("timeout");
    if (this.#processes[plan.process]?.stopping) member.causes.add("shutdown");
    const guest = plan.kind === "own"
      ? new OwnClient(member, transport, this)
      : new SimulatedClient(member, transport, this);
    return { guest, link, party: member };
  }

  #act(step: ClientStep): void {
    const seat = this.#seats.get(step.client);
    if (seat === undefined) return;
    const { guest, link, party } = seat;
    if (step.op === "stall") {
      stall(party, this.clock.now());
      link.stall();
    } else if (step.op === "flow") {
      endStall(party, this.clock.now());
      link.flow();
    } else guest.act(step);
  }

  // --- Time and deliveries ----------------------------------------------------------------------

  async #turn(): Promise<void> {
    await turn();
    for (const member of this.#members.values()) {
      member.checkNow(this.settings, this.#largestPublished);
    }
  }

  async #deliver(count: number, next: Dice): Promise<void> {
    for (let left = count; left > 0; left--) {
      if (!this.#network.deliver(next) && !this.clock.turn()) break;
      await this.#turn();
    }
  }

  /** Delivers everything that is not stalled, until nothing more happens. */
  async #settle(seed: number): Promise<void> {
    const next = dice(seed);
    for (let left = MANY; this.#network.deliver(next) || this.clock.turn(); left--) {
      must(left > 0, "the world does not settle");
      await this.#turn();
    }
    const now = this.clock.now();
    for (const { party } of this.#seats.values()) {
      party.checkSettled(this.settings, now, !this.#slept);
    }
  }

  #checkLimits(): void {
    for (const index of this.#processes.keys()) {
      const members = [...this.#members.values()].filter(({ plan }) => plan.process === index);
      checkAddresses(members, this.settings);
    }
    // A snapshot of all counters takes longer than most steps.
    if (this.#hasConnected) this.#checkApplications(checkSockets);
    this.#hasConnected = false;
  }

  /** Checks each application against what happened to its clients. */
  #checkApplications(check: (stats: Stats, happened: Happened) => void): void {
    for (const [index, { app }] of this.#processes.entries()) {
      const isHere = ({ plan }: Member | Visitor) => plan.process === index;
      check(app.stats(), {
        members: [...this.#members.values()].filter(isHere),
        visitors: [...this.#visitors.values()].filter(isHere),
        settings: this.settings,
      });
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
    // Without a timer, nothing was checked since the last one.
    await this.#settle(seed);
  }

  /** Moves the time, from timer to timer, while only a few deliveries are made. At the end, all are. */
  async #hurry(time: number, seed: number): Promise<void> {
    const next = dice(seed);
    const end = this.clock.now() + time;
    do {
      await this.#deliver(next(4), next);
      await this.#turn();
    } while (this.clock.runNext(end));
    this.clock.moveTo(end);
    // Otherwise the network could be slow for longer than closeTimeout.
    await this.#settle(seed);
  }

  /** Ends stalls, shuts the applications down, and checks that nothing is left. */
  async #end(): Promise<void> {
    this.trace.push("- the end");
    for (const { party, link } of this.#seats.values()) {
      endStall(party, this.clock.now());
      link.flow();
    }
    await this.#settle(1);
    for (const index of this.#processes.keys()) this.#shutdown(index);
    let finished = 0;
    for (const { shutdown } of this.#processes) shutdown?.then(() => finished++);
    await this.#advance(END, 2);
    must(finished === PROCESSES, "the shutdown did not end");
    for (const { party } of this.#seats.values()) party.checkEnd(this.settings, !this.#slept);
    this.#checkApplications(checkStats);
    must(this.#logged.length === 0, `logged: ${this.#logged[0]}`);
    must(this.clock.timers === 0, `${this.clock.timers} timers are left`);
  }
}

/** Runs a plan. */
export function runPlan(plan: Plan): Promise<Outcome> {
  return new World(plan).run();
}
