/**
 * The kept messages of one topic.
 *
 * @module
 */
import { sizeOf } from "../connection/message.ts";
import type { Position } from "./brokers/broker.ts";
import type { HistoryRule } from "./history_settings.ts";

/** A message to keep. */
export interface NewEntry {
  /** The published message; `undefined` if it could not be decoded. Bytes must not change. */
  readonly payload: string | Uint8Array | undefined;
  /** When it was published, in milliseconds since 1970. */
  readonly time: number;
  /** When it was published, by the clock of the application. */
  readonly at: number;
}

/** A kept message. */
export interface LogEntry extends NewEntry {
  /** The number of its bytes. */
  readonly size: number;
  /**
   * What subscribers get: `undefined` before it was made, `null` if there is nothing to send.
   */
  outgoing: string | Uint8Array | null | undefined;
}

/** An epoch that leads to the current one. */
interface Alias {
  readonly epoch: string;
  /** The last offset of it that the current epoch has too. */
  readonly upTo: number;
  /** Its offsets minus our sequence numbers. */
  readonly base: number;
}

/** How many old epochs are known. */
const MAX_ALIASES = 16;

/** After so many removed entries, the array is shortened. */
const COMPACT_AT = 64;

/**
 * A queue of messages with positions. Inside, a message has a sequence number, which only grows: an
 * offset is that number plus a base, and both epoch and base may change.
 */
export class TopicLog {
  /** The current epoch. */
  epoch: string;
  /** The limits and the format. */
  readonly rule: HistoryRule;
  /** The sequence number of the newest message, kept or not. */
  last = 0;
  /** The sequence number of the newest message that could not be decoded. */
  hole = 0;
  /** The number of bytes of all kept messages. */
  size = 0;
  /** Whether a message is being delivered. */
  isDelivering = false;
  /** Sends what was published meanwhile. */
  readonly delayed: (() => void)[] = [];
  #base: number;
  #aliases: Alias[] = [];
  /** The entries; those before `#head` are removed. */
  #entries: (LogEntry | undefined)[] = [];
  #head = 0;

  /** @param rule The limits. @param position The position before the first message. */
  constructor(rule: HistoryRule, { epoch, offset }: Position) {
    this.rule = rule;
    this.epoch = epoch;
    this.#base = offset;
  }

  /** The number of kept messages. */
  get length(): number {
    return this.#entries.length - this.#head;
  }

  /** The sequence number of the oldest kept message, or of the next message if none is kept. */
  get first(): number {
    return this.last - this.length + 1;
  }

  /** The position of the newest message. */
  get position(): Position {
    return this.positionOf(this.last);
  }

  /** The offset of the newest message. */
  get offset(): number {
    return this.last + this.#base;
  }

  /** Returns the position of a message in the current epoch. */
  positionOf(sequence: number): Position {
    return { epoch: this.epoch, offset: sequence + this.#base };
  }

  /**
   * Returns the sequence number of a position; `undefined` if some message after it is not kept, or it
   * is in the future or of an unknown epoch.
   */
  sequenceOf({ epoch, offset }: Position): number | undefined {
    const sequence = this.#toSequence(epoch, offset);
    return sequence !== undefined && this.follows(sequence) ? sequence : undefined;
  }

  /** Whether a position is newer than the log, or of an epoch that it does not know so far. */
  isBehind({ epoch, offset }: Position): boolean {
    if (epoch === this.epoch) return offset > this.offset;
    return this.#toSequence(epoch, offset) === undefined;
  }

  /**
   * Learns that a position of another epoch is a place in this one.
   *
   * @param position The position.
   * @param offset The offset of the same place in the current epoch.
   */
  learn(position: Position, offset: number): void {
    const known = this.#aliases.findIndex(({ epoch }) => epoch === position.epoch);
    if (known !== -1) this.#aliases.splice(known, 1);
    const base = position.offset - (offset - this.#base);
    this.#addAlias({ epoch: position.epoch, upTo: position.offset, base });
  }

  #addAlias(alias: Alias): void {
    this.#aliases.unshift(alias);
    this.#aliases.splice(MAX_ALIASES);
  }

  /** Whether every message after a sequence number is kept. */
  follows(sequence: number): boolean {
    return sequence >= this.first - 1 && sequence >= this.hole && sequence <= this.last;
  }

  #toSequence(epoch: string, offset: number): number | undefined {
    if (epoch === this.epoch) return offset - this.#base;
    const alias = this.#aliases.find((alias) => alias.epoch === epoch);
    return alias !== undefined && offset <= alias.upTo ? offset - alias.base : undefined;
  }

  /** Whether the log had an epoch before the current one. */
  hasLeft(epoch: string): boolean {
    return epoch !== this.epoch && this.#aliases.some((alias) => alias.epoch === epoch);
  }

  /** Returns a kept message. */
  get(sequence: number): LogEntry | undefined {
    return sequence < this.first ? undefined : this.#entries[this.#head + sequence - this.first];
  }

  /** Adds a message, and removes what exceeds the limits. */
  append(entry: NewEntry): LogEntry {
    const { payload } = entry;
    const size = payload === undefined ? 0 : sizeOf(payload);
    const outgoing = payload === undefined ? null : undefined;
    const kept: LogEntry = { ...entry, size, outgoing };
    this.#entries.push(kept);
    this.last++;
    this.size += size;
    if (payload === undefined) this.hole = this.last;
    while (this.length > this.rule.size || this.size > this.rule.maxBytes) this.#removeFirst();
    return kept;
  }

  /** Removes messages that are older than `ttl`. */
  expire(now: number): void {
    const { expiry } = this;
    if (expiry === undefined || expiry > now) return;
    while (this.length > 0 && (this.expiry ?? Infinity) <= now) this.#removeFirst();
  }

  /** When the oldest message expires, by the clock; `undefined` if none does. */
  get expiry(): number | undefined {
    const { ttl } = this.rule;
    const oldest = this.#entries[this.#head];
    return ttl === 0 || oldest === undefined ? undefined : oldest.at + ttl;
  }

  #removeFirst(): void {
    this.size -= this.#entries[this.#head]?.size ?? 0;
    this.#entries[this.#head++] = undefined;
    if (this.#head < COMPACT_AT || this.#head * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }

  /**
   * Takes another epoch that has the same messages.
   *
   * @param position The position of the newest message in it.
   */
  adopt({ epoch, offset }: Position): void {
    this.#addAlias({ epoch: this.epoch, upTo: this.offset, base: this.#base });
    this.epoch = epoch;
    this.#base = offset - this.last;
  }

  /**
   * Begins anew after a loss. Old positions do not lead to the new messages.
   *
   * @param position The position before the next message.
   */
  restart({ epoch, offset }: Position): void {
    this.#entries = [];
    this.#head = 0;
    this.size = 0;
    this.#aliases = [];
    // The number of the lost messages: so what comes next follows no earlier message.
    this.last++;
    this.epoch = epoch;
    this.#base = offset - this.last;
  }
}
