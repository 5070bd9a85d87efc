/**
 * A copy of the history of one topic, kept up to date by the messages that a broker sends.
 *
 * @module
 */
import type { Link, Timed } from "../timing/timing_wheel.ts";
import type { HistoryPage, KeptMessage, Position } from "./brokers/broker.ts";
import { Envelope } from "./brokers/envelope.ts";
import type { HistoryRule } from "./history_settings.ts";
import { checkPage, offsetBefore } from "./stored_page.ts";
import { type LogEntry, TopicLog } from "./topic_log.ts";

/** A message that has arrived before messages that precede it. */
interface Held extends Position {
  readonly data: unknown;
  readonly size: number;
}

/** A message that this process has stored, and that has not arrived. */
interface Expected extends Position {
  /** When it counts as lost, by the clock. */
  readonly due: number;
}

/** How many reads in a row may leave a hole before the messages of the hole count as lost. */
const MAX_READS = 3;

/** How many unknown positions are looked up in a second. */
const LOCATES = 20;

/** The time after a failed read, or for a message that was stored to arrive, in milliseconds. */
const RETRY = 1000;

/** What a mirror needs. */
export interface MirrorHost {
  /** Returns the time of the clock. */
  now(): number;
  /** Sets or moves the timer of a mirror. */
  arm(mirror: Mirror, delay: number): void;
  /** Reads from the broker. Settles within a timeout. */
  readSince(topic: string, since: Position | undefined): Promise<HistoryPage>;
  /** The history was read. Subscriptions that waited for it begin. */
  loaded(mirror: Mirror, log: TopicLog): void;
  /** The next message of the log. */
  arrived(mirror: Mirror, entry: LogEntry, envelope: Envelope): void;
  /** Messages were lost. The log begins after them. */
  gap(mirror: Mirror, log: TopicLog): void;
  /** A message could not be decoded. It is the newest one of the log. */
  undecodable(mirror: Mirror, log: TopicLog, why: string): void;
  /** A read has failed. Returns whether to try again. */
  failed(error: unknown): boolean;
}

/** The copy. It exists while this process is subscribed to the topic at the broker. */
export class Mirror implements Timed {
  before: Link | null = null;
  after: Link | null = null;
  deadline = 0;
  /** The topic. */
  readonly topic: string;
  /** The messages; `null` before the first read. */
  log: TopicLog | null = null;
  readonly #rule: HistoryRule;
  readonly #host: MirrorHost;
  /** The reads in progress. */
  #reading: Promise<void> | null = null;
  /** When the next second of {@linkcode locate} begins, and how many more reads it may have. */
  #locating = { until: 0, left: 0 };
  /** The last of the positions to look up. */
  #located: Promise<void> = Promise.resolve();
  /** Whether messages may be missing that the current read does not return. */
  #isStale = false;
  /** Whether the log has other messages than the broker. */
  #isWrong = false;
  /** Whether the newest position is one of a message that no read has returned. */
  #isDoubtful = false;
  /** Messages that wait for others, in the order of arrival. */
  #held: Held[] = [];
  #heldSize = 0;
  /** The newest message of ours that has not arrived. */
  #expected: Expected | null = null;
  /** Whether the last read has failed. */
  #hasFailed = false;
  #isClosed = false;

  /** @param topic The topic. @param rule Its limits. @param host Reads and delivers. */
  constructor(topic: string, rule: HistoryRule, host: MirrorHost) {
    this.topic = topic;
    this.#rule = rule;
    this.#host = host;
  }

  /** Forgets everything. */
  close(): void {
    this.#isClosed = true;
    this.#held = [];
  }

  /** Reads what may be missing. Resolves when that was read, or has failed; never rejects. */
  refresh(): Promise<void> {
    this.#isStale = true;
    return this.#reading ??= this.#read();
  }

  async #read(): Promise<void> {
    this.#hasFailed = false;
    try {
      for (let reads = 1; this.#isStale && !this.#isClosed; reads++) {
        this.#isStale = false;
        await this.#readOnce();
        if (this.log === null || this.#isClosed) break;
        this.#takeHeld(this.log);
        if (this.#held.length > 0) this.#fillLater(this.log, reads);
      }
    } catch (error) {
      this.#hasFailed = this.#host.failed(error);
    } finally {
      this.#reading = null;
    }
    this.#arm();
  }

  async #readOnce(): Promise<void> {
    const since = this.#isWrong ? undefined : this.log?.position;
    const page = checkPage(await this.#host.readSince(this.topic, since), since);
    if (this.#isClosed) return;
    this.#isWrong = this.#isDoubtful = false;
    const log = this.log;
    if (log === null) {
      this.log = new TopicLog(this.#rule, startOf(page));
      this.#keep(this.log, page);
    } else if (page.complete && since !== undefined) this.#continue(log, page);
    else this.#beginAnew(log, page);
    if (this.log !== null) this.#host.loaded(this, this.log);
  }

  /**
   * Asks the broker for a position of an epoch that the log does not know. Such a position may come from
   * a client, so there is a limit for each second. One after the other, since the answer for one position
   * serves all older ones. Never rejects.
   */
  locate(position: Position): Promise<void> {
    return this.#located = this.#located.then(() => this.#locate(position));
  }

  async #locate(position: Position): Promise<void> {
    if (this.log === null || !this.log.isBehind(position)) return;
    const now = this.#host.now();
    if (now >= this.#locating.until) this.#locating = { until: now + 1000, left: LOCATES };
    if (this.#locating.left-- <= 0) return;
    try {
      const page = checkPage(await this.#host.readSince(this.topic, position), position);
      const { log } = this;
      if (log === null || !page.complete || page.position.epoch !== log.epoch) return;
      log.learn(position, offsetBefore(page));
    } catch (error) {
      this.#host.failed(error);
    }
  }

  /** Messages were lost. Those that have arrived since are delivered. */
  #beginAnew(log: TopicLog, page: HistoryPage): void {
    const { epoch } = page.position;
    const arrived = this.#held.filter((held) => held.epoch === epoch && isAhead(held, log));
    const first = Math.min(...arrived.map(({ offset }) => offset));
    log.restart(startOf(page));
    this.#keep(log, page, first);
    this.#host.gap(this, log);
    if (log.offset === page.position.offset) return;
    this.#deliver(log, page.messages.filter(({ offset }) => offset > log.offset));
  }

  /** Delivers the messages of a page that continues the log. */
  #continue(log: TopicLog, page: HistoryPage): void {
    const { epoch } = page.position;
    if (epoch !== log.epoch) log.adopt({ epoch, offset: offsetBefore(page) });
    this.#deliver(log, page.messages);
  }

  #deliver(log: TopicLog, messages: readonly KeptMessage[]): void {
    for (const { message, time } of messages) {
      if (!this.#isClosed) this.#append(log, message, time);
    }
  }

  /** Adds the messages of a page before an offset, without delivering them. */
  #keep(log: TopicLog, { position, messages }: HistoryPage, before = Infinity): void {
    for (const { offset, message, time } of messages) {
      if (offset >= before) return;
      log.append({ ...this.#dated(time), payload: Envelope.open(message)?.message });
    }
    // The newest message is not kept.
    if (log.offset !== position.offset) log.restart(position);
    this.#isDoubtful = log.length === 0;
  }

  /** Returns when a message was stored, also by the clock. */
  #dated(time: KeptMessage["time"]): { readonly time: number; readonly at: number } {
    return { time, at: this.#host.now() - Math.max(Date.now() - time, 0) };
  }

  // --- Messages that arrive ---------------------------------------------------------------------

  /** A message has arrived from the broker. */
  receive(position: Position, data: unknown): void {
    const { log } = this;
    if (log === null || this.#reading !== null) return this.#hold(position, data);
    if (position.epoch === log.epoch && position.offset <= log.offset) {
      // The same message again, unless the broker has gone back in time.
      this.#isWrong = !isSame(log, position.offset, data);
      if (!this.#isWrong && !this.#isDoubtful) return;
      void this.refresh();
    } else if (position.epoch === log.epoch && position.offset === log.offset + 1) {
      this.#isDoubtful = false;
      this.#append(log, data, Date.now());
      if (this.#held.length > 0) this.#takeHeld(log);
      this.#arm();
    } else if (!log.hasLeft(position.epoch)) {
      this.#hold(position, data);
      void this.refresh();
    }
  }

  #append(log: TopicLog, data: unknown, time: number): void {
    const envelope = Envelope.open(data);
    const payload = envelope?.message;
    const dated = this.#dated(time);
    log.expire(this.#host.now());
    const entry = log.append({ ...dated, payload });
    if (this.#expected !== null && !isAhead(this.#expected, log)) this.#expected = null;
    if (envelope !== undefined && payload !== undefined) {
      this.#host.arrived(this, entry, envelope);
    } else {
      const isUnknown = envelope === undefined || envelope.isControl;
      const why = isUnknown ? "unknown format" : "the text is not UTF-8";
      this.#host.undecodable(this, log, why);
    }
  }

  /** Holds a message while another one is missing. Beyond the limits, the oldest are read again. */
  #hold({ epoch, offset }: Position, data: unknown): void {
    const size = data instanceof Uint8Array ? data.length : 0;
    this.#held.push({ epoch, offset, data, size });
    this.#heldSize += size;
    const { size: most, maxBytes } = this.#rule;
    while (this.#held.length > most || this.#held.length > 1 && this.#heldSize > maxBytes) {
      this.#heldSize -= this.#held.shift()?.size ?? 0;
    }
  }

  /** Delivers the held messages that follow the log, and keeps those after a hole. */
  #takeHeld(log: TopicLog): void {
    const held = this.#held.filter(({ epoch }) => !log.hasLeft(epoch))
      .sort((a, b) => a.offset - b.offset);
    this.#held = [];
    this.#heldSize = 0;
    for (const { epoch, offset, data } of held) {
      if (this.#isClosed) return;
      if (epoch !== log.epoch || offset > log.offset + 1) this.#hold({ epoch, offset }, data);
      else if (offset === log.offset + 1) this.#append(log, data, Date.now());
    }
  }

  /** Messages are missing although the history was read: reads it again, up to a limit. */
  #fillLater(log: TopicLog, reads: number): void {
    if (reads < MAX_READS) {
      this.#isStale = true;
      return;
    }
    // Messages of other epochs are older than what was read.
    const last = this.#held.findLast(({ epoch }) => epoch === log.epoch);
    this.#held = [];
    this.#heldSize = 0;
    if (last === undefined) return;
    log.restart(last);
    this.#isDoubtful = true;
    this.#host.gap(this, log);
  }

  // --- Timers -----------------------------------------------------------------------------------

  /** This process has stored a message. It is read if it does not arrive soon. */
  expect(position: Position): void {
    if (this.log === null || !isAhead(position, this.log)) return;
    this.#expected = { ...position, due: this.#host.now() + RETRY };
    this.#arm();
  }

  /** See {@linkcode Timed.expire}. */
  expire(now: number): void {
    if (this.#isClosed) return;
    const { log } = this;
    log?.expire(now);
    const isMissing = this.#expected !== null && this.#expected.due <= now;
    if (isMissing) this.#expected = null;
    if (isMissing || this.#hasFailed) void this.refresh();
    else this.#arm();
  }

  #arm(): void {
    if (this.#isClosed) return;
    const now = this.#host.now();
    const due = Math.min(
      this.#hasFailed ? now + RETRY : Infinity,
      this.#expected?.due ?? Infinity,
      this.log?.expiry ?? Infinity,
    );
    if (due < (this.deadline || Infinity)) this.#host.arm(this, due - now);
  }
}

/** The position before the first message of a page. */
function startOf(page: HistoryPage): Position {
  return { epoch: page.position.epoch, offset: offsetBefore(page) };
}

function isAhead({ epoch, offset }: Position, log: TopicLog): boolean {
  return epoch === log.epoch ? offset > log.offset : !log.hasLeft(epoch);
}

/** Whether a message is the one that the log has at its offset, as far as it is kept. */
function isSame(log: TopicLog, offset: number, data: unknown): boolean {
  const kept = log.get(log.last - (log.offset - offset));
  if (kept?.payload === undefined) return true;
  const payload = Envelope.open(data)?.message;
  if (typeof payload === "string" || typeof kept.payload === "string") {
    return payload === kept.payload;
  }
  const bytes = kept.payload;
  return payload?.length === bytes.length && payload.every((byte, at) => byte === bytes[at]);
}
