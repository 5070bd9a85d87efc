/**
 * One client of a world with its handler: what each has done and received, and the invariants between
 * them.
 *
 * @module
 */
import type { ConnectionEnd, EndedBy } from "../../src/connection/connection_end.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { byteLength } from "./frames.ts";
import {
  checkInput,
  checkOutput,
  checkRate,
  checkRefused,
  delayOf,
  LATE,
  mayQueueBeFull,
} from "./limits.ts";
import type { PlannedClient, PlanSettings } from "./plan.ts";
import { ClientSide, HandlerSide } from "./sides.ts";

/** What a member needs of its world. */
export interface MemberOptions {
  /** Adds a line to the trace. */
  readonly note: (line: string) => void;
  /** The broker of its process. */
  readonly broker: {
    /** How often messages were repeated. */
    readonly repeats: number;
  };
}

/** Throws an error that says which invariant does not hold. */
export function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** One client, and its handler. */
export class Member {
  readonly name: string;
  readonly plan: PlannedClient;
  readonly client = new ClientSide();
  readonly handler = new HandlerSide();
  /** What may have ended the connection. */
  readonly causes = new Set<EndedBy>();
  /** Whether its process has slept. */
  hasSlept = false;
  /** The first invariant that did not hold. Whoever catches the exception does not hide it. */
  failure: string | undefined;
  readonly #options: MemberOptions;

  /** @param name Its name in traces. @param plan What it is. @param options See there. */
  constructor(name: string, plan: PlannedClient, options: MemberOptions) {
    this.name = name;
    this.plan = plan;
    this.#options = options;
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
    this.#options.note(`${this.name} ${line}`);
  }

  /** Notes and throws, unless something holds. */
  must(holds: boolean, what: () => string): void {
    if (holds) return;
    this.failure ??= `${this.name}: ${what()}`;
    throw new Error(this.failure);
  }

  // --- Events -----------------------------------------------------------------------------------

  /** A hook begins. Hooks never overlap. */
  enter(hook: string, now: number): void {
    const { handler } = this;
    this.note(`${hook}()`);
    this.must(handler.active === undefined, () => `${hook} began while ${handler.active} ran`);
    this.must(handler.closes === 0, () => `${hook} was called after onClose`);
    if (hook !== "prepare" && hook !== "open") {
      this.must(handler.opens === 1, () => `${hook} was called before open`);
    }
    handler.active = hook;
    handler.activeAt = now;
  }

  /** The hook has settled. */
  leave(): void {
    this.handler.active = undefined;
  }

  /**
   * A message has reached the handler. Messages come once and in order.
   *
   * @param isPart Whether the handler has read only the beginning of the message.
   */
  handle(
    text: string,
    { settings, now, isPart = false }: {
      readonly settings: PlanSettings;
      readonly now: number;
      readonly isPart?: boolean;
    },
  ): void {
    const { client, handler } = this;
    if (client.hostile) return;
    const number = Number(text.split(" ", 1)[0]);
    this.must(number === handler.handled, () => `message ${number} came, not ${handler.handled}`);
    const sent = client.sent[number];
    this.must(sent !== undefined, () => `message ${number} was never sent`);
    this.must(
      isPart ? sent?.startsWith(text) === true : sent === text,
      () => `${show(text)} came, not ${show(sent ?? "")}`,
    );
    const length = byteLength(text);
    this.must(length <= settings.maxMessageSize, () => `a message of ${length} bytes came`);
    handler.handled++;
    checkRate(this, settings.messageRate, now);
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

  /**
   * Messages of one publisher come once and in order, and never back to it. If the broker repeats
   * messages of another process, they may come again.
   */
  #hear(message: string): void {
    const { heard, lastHeard } = this.client;
    const [, publisher = "", number, process] = message.split(" ");
    const { repeats } = this.#options.broker;
    const times = (heard.get(message) ?? 0) + 1;
    const mayRepeat = Number(process) !== this.plan.process && times <= 1 + repeats;
    this.must(publisher !== this.name, () => `received its own ${show(message)}`);
    const before = lastHeard.get(publisher) ?? -1;
    const isInOrder = before < Number(number) || (mayRepeat && repeats > 0);
    this.must(isInOrder, () => `received ${show(message)} after number ${before}`);
    lastHeard.set(publisher, Math.max(before, Number(number)));
    heard.set(message, times);
  }

  /** `onClose` is called. */
  close(end: ConnectionEnd | undefined, { idleTimeout }: PlanSettings, now: number): void {
    const { handler } = this;
    handler.ended = end;
    handler.endedAt = now;
    handler.subscribed = false;
    handler.closes++;
    this.must(handler.closes === 1, () => "onClose was called twice");
    // What a client sends after it has broken a rule does not count.
    const isIdle = end?.by === "timeout" && end.code === 1001;
    if (!isIdle || this.hasSlept || this.client.violations.size > 0) return;
    const silent = now - this.client.arrivedAt;
    this.must(silent + LATE >= idleTimeout, () => `idle after ${silent} ms, not ${idleTimeout}`);
  }

  /** The handshake was refused. @param status The status, if there was a response. */
  refused(status: number | undefined, settings: PlanSettings): void {
    const { behaviour, opening } = this.plan;
    const { maxConnections, maxConnectionsPerAddress, handshakeRate } = settings;
    this.client.status = status;
    const isLate = this.causes.has("timeout");
    const mayBe = {
      403: behaviour === "refuses in prepare",
      408: opening !== "whole" || isLate,
      429: handshakeRate !== undefined,
      500: behaviour === "throws in prepare",
      503: behaviour === "hangs in prepare" || this.causes.has("shutdown") ||
        maxConnections < 100 || maxConnectionsPerAddress < 100 || isLate,
    }[status ?? 0] ?? status === undefined;
    this.must(mayBe, () => `was refused with ${status}`);
  }

  // --- Invariants -------------------------------------------------------------------------------

  /** What must hold at any time. @param largest The longest frame of the topic, in bytes. */
  checkNow(settings: PlanSettings, largest: number): void {
    if (this.failure !== undefined) throw new Error(this.failure);
    checkOutput(this, settings, largest);
  }

  /** Whether the client is connected and reads, and neither end has left. */
  get #isHealthy(): boolean {
    const { client, handler } = this;
    return client.handshake === "open" && handler.opens > 0 && handler.ended === undefined &&
      !client.stalled && !client.leaving && !client.finished && !client.gone &&
      client.serverCode === undefined;
  }

  /** What must hold when nothing is on its way. @param punctual Whether the process never slept. */
  checkSettled(settings: PlanSettings, now: number, punctual: boolean): void {
    const { client } = this;
    if (this.#isHealthy) {
      this.#checkHealthy(settings, now, punctual);
      client.arrivedAt = client.sentAt;
    }
    if (!punctual) return;
    this.#checkOpening(settings, now);
    this.#checkStalled(settings, now);
    this.#checkLeaving(settings, now);
    this.#checkLingering(settings, now);
  }

  /** Checks that a handshake does not take longer than `handshakeTimeout`. */
  #checkOpening({ handshakeTimeout }: PlanSettings, now: number): void {
    const { client } = this;
    if (client.handshake !== "sent" || client.gone || client.wasStalled) return;
    if (handshakeTimeout === 0 || client.hasEnded) return;
    const waited = now - client.connectedAt;
    this.must(waited <= handshakeTimeout + LATE, () => `no handshake after ${waited} ms`);
  }

  /** Checks that the server closes when the client has left. */
  #checkLeaving(settings: PlanSettings, now: number): void {
    const { client, handler } = this;
    if (client.handshake !== "open" || client.stalled || client.hostile || !client.leaving) return;
    if (handler.opens === 0 || handler.ended !== undefined) return;
    // What came before a close frame, or before a broken rule, is handled first. Behind more than
    // maxQueuedSize, FIN is not read.
    // A shutdown reads nothing while a handler is busy.
    const isWaiting = !client.hasEnded || this.causes.has("shutdown") ||
      mayQueueBeFull(this, settings);
    if (handler.active !== undefined && isWaiting) return;
    // As long as the handler reads pieces, it may go on.
    if (handler.active !== undefined && this.plan.reading === "slow stream") return;
    const patience = handler.active === undefined ? 0 : settings.closeTimeout || Infinity;
    // The timeout starts again whenever a hook settles.
    const waited = now - Math.max(client.leftAt, handler.activeAt);
    // Output that still waits may take as long as the client reads.
    if (handler.buffered() > 0) return;
    // The rates count from the end of a stall, or when a slow reader reads.
    const isSlow = client.wasStalled || this.plan.reading === "slow stream";
    if (isSlow && delayOf(client, settings) > 0) return;
    this.must(
      waited <= patience + LATE + delayOf(client, settings),
      () => `still open ${waited} ms after the client left`,
    );
  }

  /** Checks that a client cannot keep its socket after the connection has ended. */
  #checkLingering({ closeTimeout }: PlanSettings, now: number): void {
    const { client, handler } = this;
    if (handler.ended === undefined || client.wasStalled || handler.buffered() > 0) return;
    this.must(client.finished || client.gone, () => "there is no FIN after the end");
    if (closeTimeout === 0) return;
    const waited = now - handler.endedAt;
    // The timer starts again when output has left.
    this.must(
      client.gone || waited <= 2 * closeTimeout + LATE,
      () => `the socket is open ${waited} ms after the connection ended`,
    );
  }

  #checkHealthy(settings: PlanSettings, now: number, punctual: boolean): void {
    const { client, handler } = this;
    const { pingInterval } = settings;
    this.must(handler.expectedCode === undefined, () => `is not closed by ${handler.expectedCode}`);
    checkInput(this, settings);
    // Behind a message in pieces, others wait.
    if (handler.sending === 0) this.#checkReceived();
    if (this.isHybi && pingInterval > 0 && punctual && !client.wasStalled) {
      const silent = now - client.pingedAt;
      this.must(silent <= pingInterval + LATE, () => `no ping for ${silent} ms`);
    }
    if (handler.active !== undefined) return;
    const delay = delayOf(client, settings);
    // The rates count from the end of a stall, or when a slow reader reads.
    const isLate = !punctual || client.wasStalled || now - client.unitAt < delay ||
      this.plan.reading === "slow stream";
    if (delay > 0 && isLate) return;
    this.must(client.pongs === client.pings, () => `ping ${client.pings} was not answered`);
    this.must(handler.pongs === handler.pings, () => `no pong for ping ${handler.pings}`);
    this.must(
      handler.handled === client.sent.length,
      () => `${handler.handled} of ${client.sent.length} handled`,
    );
    if (handler.sending === 0) this.#checkWrites();
    if (this.plan.kind !== "raw" || !punctual) return;
    checkRefused(this, { rate: settings.messageRate, count: client.units, now });
    checkRefused(this, { rate: settings.byteRate, count: client.bytes, now });
  }

  #checkWrites(): void {
    const { pendingWrites } = this.handler;
    this.must(pendingWrites === 0, () => `${pendingWrites} writes did not settle`);
  }

  /** Checks that the client has everything that was written for it. */
  #checkReceived(): void {
    const { client, handler } = this;
    const { length } = client.replies;
    this.must(
      length === handler.written.length,
      () => `${length} of ${handler.written.length} replies`,
    );
    for (const message of handler.published.splice(0)) {
      this.must(client.heard.has(message), () => `did not receive ${show(message)}`);
    }
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
    this.must(
      waited <= patience + delayOf(client, settings),
      () => `kept for ${waited} ms while it was stalled`,
    );
  }

  /** What must hold at the end of the world. @param punctual Whether the process never slept. */
  checkEnd(settings: PlanSettings, punctual: boolean): void {
    const { client, handler } = this;
    if (client.handshake === "none") return;
    this.must(client.gone, () => "the socket is open");
    this.#checkWrites();
    if (handler.opens === 0) return;
    this.must(handler.closes === 1, () => "onClose was not called");
    if (!handler.hangs) {
      this.must(handler.active === undefined, () => `${handler.active} did not settle`);
    }
    const { by } = handler.ended ?? {};
    const causes = [...this.causes].join(" or ");
    this.must(by !== undefined && this.causes.has(by), () => `ended by ${by}, not by ${causes}`);
    this.must(handler.closed === handler.ended, () => "closed did not resolve with the end");
    this.must(handler.signalled === handler.ended, () => "the signal did not abort with the end");
    if (punctual) this.#checkCode(delayOf(client, settings) > 0);
  }

  /** Checks that a client that broke a rule was closed with a code of that rule. */
  #checkViolation(): void {
    const { client, handler } = this;
    const { by, code = 1006 } = handler.ended ?? {};
    if (by !== "protocol" || !this.isHybi || client.hostile) return;
    // After a reset, no close frame is sent.
    if (code === 1006 && client.hasEnded) return;
    const codes = [...client.violations].join(" or ");
    this.must(client.violations.has(code), () => `closed with ${code}, not with ${codes}`);
  }

  /** Checks that a client that stayed to the end has received the right close code. */
  #checkCode(isThrottled: boolean): void {
    const { client, handler, plan } = this;
    this.#checkViolation();
    if (!this.isHybi || client.leaving || client.wasStalled || plan.isStubborn || handler.aborts) {
      return;
    }
    const { code = 1006, by } = handler.ended ?? {};
    const received = client.serverCode === 0 ? 1005 : client.serverCode ?? 1006;
    this.must(received === code, () => `ended with ${code}, and the client received ${received}`);
    // At the end of its timeout, a shutdown drops what is left.
    const isPrompt = !handler.hangs && plan.reading !== "slow stream" && !isThrottled;
    const codes = by === "server" ? [handler.expectedCode] : isPrompt ? [1001] : [1001, 1006];
    if (by !== "server" && by !== "shutdown") return;
    this.must(codes.includes(code), () => `ended by ${by} with ${code}, not ${codes}`);
  }
}

/** A message as traces show it. */
export function show(message: string): string {
  return message.length <= 40 ? message : `${message.slice(0, 30)}… (${message.length})`;
}
