/**
 * One client of a world with its handler: what each has done and received, and the invariants between
 * them.
 *
 * @module
 */
import type { ConnectionEnd, EndedBy } from "../../src/connection/connection_end.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import type { Command, PlannedClient, PlanSettings } from "./plan.ts";

/** How late a timer may be, in milliseconds: some ticks of the timing wheel. */
const LATE = 150;

/** Throws an error that says which invariant does not hold. */
export function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** What the client's end has done and seen. */
export class ClientSide {
  /** The commands of the messages that were sent, by number. */
  readonly sent: Command[] = [];
  /** Replies that were received, in order. */
  readonly replies: string[] = [];
  /** Messages of the topic, in order. */
  readonly heard: string[] = [];
  handshake: "none" | "sent" | "open" | "refused" = "none";
  stalled = false;
  stalledAt = 0;
  wasStalled = false;
  /** Whether it has sent its close frame, FIN or a reset, or broken the protocol. */
  leaving = false;
  leftAt = 0;
  /** When it sent its last message, and the last message that certainly arrived while open. */
  sentAt = 0;
  arrivedAt = 0;
  /** Whether it has sent FIN or a reset. */
  hasEnded = false;
  /** Whether it has sent garbage. */
  hostile = false;
  /** How many pings were sent, and the number in the last pong. */
  pings = 0;
  pongs = 0;
  /** When the last ping came. */
  pingedAt = 0;
  /** The code of its close frame, if it sent one by itself: 0 if it has none. */
  closeCode: number | undefined;
  /** The code of the server's close frame: 0 if it has none. */
  serverCode: number | undefined;
  /** Whether the server has sent FIN. */
  finished = false;
  /** Whether the socket is closed. */
  gone = false;
}

/** What the handler has done and seen. */
export class HandlerSide {
  /** How many messages were handled. */
  handled = 0;
  /** What it wrote, in order, topics aside. */
  readonly written: string[] = [];
  /** The topic's messages that it must get. */
  readonly published: string[] = [];
  /** How much was written for the client, and the longest message, in bytes. */
  writtenBytes = 0;
  largestWrite = 0;
  /** The hook that runs now. */
  active: string | undefined;
  /** Whether a hook never settles. */
  hangs = false;
  /** Whether it called `abort()`, which drops output on its way. */
  aborts = false;
  /** How often `open` and `onClose` were called. */
  opens = 0;
  closes = 0;
  subscribed = false;
  /** How many promises of `writeMessage` are pending. */
  pendingWrites = 0;
  /** The close code that its own end of the connection must have sent. */
  expectedCode: number | undefined;
  /** Why the connection ended. */
  ended: ConnectionEnd | undefined;
  /** Reads the handler's `bufferedAmount`. */
  buffered: () => number = () => 0;
}

/** One client, and its handler. */
export class Member {
  readonly name: string;
  readonly plan: PlannedClient;
  readonly client = new ClientSide();
  readonly handler = new HandlerSide();
  /** What may have ended the connection. */
  readonly causes = new Set<EndedBy>();
  /** The first invariant that did not hold. Whoever catches the exception does not hide it. */
  failure: string | undefined;
  readonly #note: (line: string) => void;

  /** @param name Its name in traces. @param plan What it is. @param note Adds a line to the trace. */
  constructor(name: string, plan: PlannedClient, note: (line: string) => void) {
    this.name = name;
    this.plan = plan;
    this.#note = note;
  }

  get version(): WebSocketVersion {
    return this.plan.version;
  }

  /** Whether the version has close codes, pings and binary messages. */
  get isHybi(): boolean {
    return !this.version.startsWith("draft");
  }

  /** Adds to the trace. */
  note(line: string): void {
    this.#note(`${this.name} ${line}`);
  }

  /** Notes and throws, unless something holds. */
  must(holds: boolean, what: () => string): void {
    if (holds) return;
    this.failure ??= `${this.name}: ${what()}`;
    throw new Error(this.failure);
  }

  // --- Events -----------------------------------------------------------------------------------

  /** A hook begins. Hooks never overlap. */
  enter(hook: string): void {
    const { handler } = this;
    this.note(`${hook}()`);
    this.must(handler.active === undefined, () => `${hook} began while ${handler.active} ran`);
    this.must(handler.closes === 0, () => `${hook} was called after onClose`);
    if (hook !== "prepare" && hook !== "open") {
      this.must(handler.opens === 1, () => `${hook} was called before open`);
    }
    handler.active = hook;
  }

  /** The hook has settled. */
  leave(): void {
    this.handler.active = undefined;
  }

  /** A message has reached the handler. Messages come once and in order. */
  handle(text: string): void {
    const { client, handler } = this;
    if (client.hostile) return;
    const number = Number(text.split(" ", 1)[0]);
    this.must(number === handler.handled, () => `message ${number} came, not ${handler.handled}`);
    this.must(number < client.sent.length, () => `message ${number} was never sent`);
    handler.handled++;
  }

  /** The handler writes a message of so many bytes, or gets one of the topic. */
  wrote(bytes: number, maxBufferedAmount: number): void {
    const { handler } = this;
    handler.writtenBytes += bytes;
    handler.largestWrite = Math.max(handler.largestWrite, bytes);
    if (handler.writtenBytes > maxBufferedAmount) this.causes.add("overflow");
  }

  /** A message has reached the client. */
  receive(message: string): void {
    const { client, handler } = this;
    this.note(`receives ${show(message)}`);
    if (message.startsWith("t ")) return this.#hear(message);
    const next = handler.written[client.replies.length];
    this.must(message === next, () => `received ${show(message)}, not ${show(next ?? "nothing")}`);
    client.replies.push(message);
  }

  /** Messages of one publisher come once and in order, and never back to it. */
  #hear(message: string): void {
    const [, publisher, number] = message.split(" ");
    this.must(publisher !== this.name, () => `received its own ${show(message)}`);
    for (const earlier of this.client.heard) {
      const [, other, before] = earlier.split(" ");
      this.must(
        other !== publisher || Number(before) < Number(number),
        () => `received ${show(message)} after ${show(earlier)}`,
      );
    }
    this.client.heard.push(message);
  }

  /** `onClose` is called. */
  close(end: ConnectionEnd | undefined, { idleTimeout }: PlanSettings, now: number): void {
    const { handler } = this;
    handler.ended = end;
    handler.subscribed = false;
    handler.closes++;
    this.must(handler.closes === 1, () => "onClose was called twice");
    if (end?.by !== "timeout" || end.code !== 1001) return;
    const silent = now - this.client.arrivedAt;
    this.must(silent + LATE >= idleTimeout, () => `idle after ${silent} ms, not ${idleTimeout}`);
  }

  // --- Invariants -------------------------------------------------------------------------------

  /** What must hold at any time. @param largest The longest frame of the topic, in bytes. */
  checkNow({ maxBufferedAmount, highWaterMark }: PlanSettings, largest: number): void {
    const { handler } = this;
    if (this.failure !== undefined) throw new Error(this.failure);
    // A ping or a close frame may come on top.
    const most =
      Math.max(maxBufferedAmount, highWaterMark + Math.max(handler.largestWrite, largest)) + 256;
    const buffered = handler.buffered();
    this.must(buffered <= most, () => `${buffered} bytes of output wait, at most ${most} may`);
  }

  /** Whether the client is connected, reads, and was heard recently. */
  get #isHealthy(): boolean {
    const { client, handler } = this;
    return client.handshake === "open" && handler.opens > 0 && handler.ended === undefined &&
      !client.stalled && !client.leaving && !client.finished && !client.gone &&
      client.serverCode === undefined;
  }

  /** What must hold when nothing is on its way. @param punctual Whether the process never slept. */
  checkSettled(settings: PlanSettings, now: number, punctual: boolean): void {
    const { client, handler } = this;
    if (this.#isHealthy) {
      this.#checkHealthy(settings, now, punctual);
      client.arrivedAt = client.sentAt;
    }
    if (!punctual) return;
    this.#checkStalled(settings, now);
    if (client.handshake !== "open" || client.stalled || client.hostile || !client.leaving) return;
    if (handler.opens === 0 || handler.ended !== undefined) return;
    // What came before a close frame, or before a broken rule, is handled first. Behind more than
    // maxQueuedSize, FIN is not read.
    const isFull = settings.maxQueuedSize < 65_536 || client.sent.length > handler.handled + 1;
    if (handler.active !== undefined && (isFull || !client.hasEnded)) return;
    const patience = handler.active === undefined ? 0 : settings.closeTimeout || Infinity;
    const waited = now - client.leftAt;
    // Output that still waits may take as long as the client reads.
    if (handler.buffered() > 0) return;
    this.must(waited <= patience + LATE, () => `still open ${waited} ms after the client left`);
  }

  #checkHealthy({ pingInterval }: PlanSettings, now: number, punctual: boolean): void {
    const { client, handler } = this;
    const { length } = client.replies;
    this.must(
      length === handler.written.length,
      () => `${length} of ${handler.written.length} replies`,
    );
    for (const message of handler.published) {
      this.must(client.heard.includes(message), () => `did not receive ${show(message)}`);
    }
    if (this.isHybi && pingInterval > 0 && punctual && !client.wasStalled) {
      const silent = now - client.pingedAt;
      this.must(silent <= pingInterval + LATE, () => `no ping for ${silent} ms`);
    }
    if (handler.active !== undefined) return;
    this.must(client.pongs === client.pings, () => `ping ${client.pings} was not answered`);
    this.must(
      handler.handled === client.sent.length,
      () => `${handler.handled} of ${client.sent.length} handled`,
    );
    this.must(handler.pendingWrites === 0, () => `${handler.pendingWrites} writes did not settle`);
  }

  /** Checks that the server gives up a stalled client of a version with pings. */
  #checkStalled(settings: PlanSettings, now: number): void {
    const { pingInterval, pingTimeout, idleTimeout, closeTimeout } = settings;
    const { client, handler } = this;
    // While the server closes, no pings are sent, and closeTimeout counts.
    const mayClose = idleTimeout > 0 || this.causes.has("server") || this.causes.has("shutdown");
    if (mayClose && closeTimeout === 0) return;
    if (pingInterval === 0 || pingTimeout === 0 || !this.isHybi || !client.stalled) return;
    if (client.handshake !== "open" || handler.ended !== undefined || client.leaving) return;
    if (handler.active !== undefined || handler.opens === 0) return;
    const waited = now - client.stalledAt;
    // The first tick may find traffic from before the stall.
    const patience = 2 * pingInterval + pingTimeout + closeTimeout + LATE;
    this.must(waited <= patience, () => `kept for ${waited} ms while it was stalled`);
  }

  /** What must hold at the end of the world. @param punctual Whether the process never slept. */
  checkEnd(punctual: boolean): void {
    const { client, handler } = this;
    if (client.handshake === "none") return;
    this.must(client.gone, () => "the socket is open");
    this.must(handler.pendingWrites === 0, () => `${handler.pendingWrites} writes did not settle`);
    if (handler.opens === 0) return;
    this.must(handler.closes === 1, () => "onClose was not called");
    if (!handler.hangs) {
      this.must(handler.active === undefined, () => `${handler.active} did not settle`);
    }
    const { by } = handler.ended ?? {};
    const causes = [...this.causes].join(" or ");
    this.must(by !== undefined && this.causes.has(by), () => `ended by ${by}, not by ${causes}`);
    if (punctual) this.#checkCode();
  }

  /** Checks that a client that stayed to the end has received the right close code. */
  #checkCode(): void {
    const { client, handler, plan } = this;
    if (!this.isHybi || client.leaving || client.wasStalled || plan.isStubborn || handler.aborts) {
      return;
    }
    const { code = 1006, by } = handler.ended ?? {};
    const received = client.serverCode === 0 ? 1005 : client.serverCode ?? 1006;
    this.must(received === code, () => `ended with ${code}, and the client received ${received}`);
    const expected = by === "shutdown" && !handler.hangs ? 1001 : handler.expectedCode ?? code;
    if (by !== "server" && by !== "shutdown") return;
    this.must(code === expected, () => `ended by ${by} with ${code}, not ${expected}`);
  }
}

/** A message as traces show it. */
export function show(message: string): string {
  return message.length <= 40 ? message : `${message.slice(0, 30)}… (${message.length})`;
}
