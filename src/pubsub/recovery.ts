/**
 * Subscribers that get what they have missed.
 *
 * @module
 */
import { WebSocketClosedError } from "../errors.ts";
import { ignorable } from "../connection/writer.ts";
import type { Turns } from "../timing/turns.ts";
import type { Recovering, Subscriber } from "./subscriber.ts";
import { type Subscribed, tidyPolicy } from "./subscription.ts";
import type { LogEntry, TopicLog } from "./topic_log.ts";

/** How much all recoveries write in one turn of the event loop, in bytes. */
const BUDGET = 256 * 1024;

/** The cost of a message besides its bytes. */
const MESSAGE_COST = 128;

/** Makes what subscribers get; `null` for nothing. */
export type Formatter = (
  log: TopicLog,
  sequence: number,
  entry: LogEntry,
) => string | Uint8Array | null;

/** The subscriber and topic of a recovery. */
export interface RecoveryTarget {
  /** The subscriber. */
  readonly subscriber: Subscriber;
  /** The topic. */
  readonly topic: string;
}

/** Makes the error of a subscription of a connection that is closed. */
export function closedError(topic: string): WebSocketClosedError {
  const attempt = `Cannot subscribe to ${JSON.stringify(topic)}`;
  return new WebSocketClosedError(`${attempt}: the connection is closed`);
}

/**
 * Lets recoveries run one after the other, and the event loop run between them: 10,000 clients may
 * recover at once.
 */
export class RecoveryQueue {
  /** See {@linkcode Formatter}. */
  readonly format: Formatter;
  readonly #turns: Turns;
  /** The recoveries that can write, in order. */
  readonly #ready: Set<Recovery> = new Set();
  /** How much was written since the last turn. */
  #spent = 0;
  #isRunning = false;

  /** @param turns The turns of the event loop. @param format Makes what subscribers get. */
  constructor(turns: Turns, format: Formatter) {
    this.#turns = turns;
    this.format = format;
  }

  /** Runs a recovery, at once if no other one waits. */
  add(recovery: Recovery): void {
    this.#ready.add(recovery);
    if (!this.#isRunning) this.#run();
  }

  /** Removes a recovery. */
  delete(recovery: Recovery): void {
    this.#ready.delete(recovery);
  }

  #run(): void {
    this.#isRunning = true;
    // A Set may change during its iteration: new items are visited too.
    for (const recovery of this.#ready) {
      if (this.#spent >= BUDGET) return this.#runLater();
      this.#ready.delete(recovery);
      this.#spent += recovery.step(BUDGET - this.#spent);
      if (recovery.wantsMore) this.#ready.add(recovery);
    }
    this.#isRunning = false;
  }

  #runLater(): void {
    void this.#turns.next().then(() => {
      this.#spent = 0;
      this.#run();
    });
  }
}

/**
 * Writes what a subscriber has missed while it is not slow, so that it is never closed for it. Once it
 * has everything, it gets published messages like the others, from the same moment on.
 */
export class Recovery implements Recovering {
  /** Settles when the subscriber has everything, or cannot have it. */
  readonly promise: Promise<Subscribed>;
  /** Whether the last step ended because of its budget. */
  wantsMore = false;
  readonly #target: RecoveryTarget;
  readonly #log: TopicLog;
  readonly #queue: RecoveryQueue;
  readonly #resolve: (subscribed: Subscribed) => void;
  readonly #reject: (error: Error) => void;
  /** The sequence number of the last message that the subscriber has. */
  #sequence: number;
  /** The messages that the subscriber has published in the meantime. */
  #own: Set<number> | null = null;
  #isOver = false;

  /** @param sequence The last message that the subscriber has. */
  constructor(target: RecoveryTarget, log: TopicLog, sequence: number, queue: RecoveryQueue) {
    this.#target = target;
    this.#log = log;
    this.#sequence = sequence;
    this.#queue = queue;
    const { promise, resolve, reject } = Promise.withResolvers<Subscribed>();
    this.promise = ignorable(promise);
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** See {@linkcode Recovering.resume}. */
  resume(): void {
    this.#queue.add(this);
  }

  /** See {@linkcode Recovering.own}. */
  own(sequence: number): void {
    (this.#own ??= new Set()).add(sequence);
  }

  /** See {@linkcode Recovering.end}. */
  end(error?: Error): void {
    this.#stop();
    if (error !== undefined) this.#reject(error);
    else this.#resolve({ recovered: false, position: undefined });
  }

  /**
   * Writes messages until the subscriber is slow or has everything.
   *
   * @param budget About how many bytes to write.
   * @returns How many were written.
   */
  step(budget: number): number {
    const { subscriber } = this.#target;
    let spent = 0;
    this.wantsMore = false;
    while (!this.#isOver) {
      if (!this.#log.follows(this.#sequence)) this.#finish(false);
      else if (this.#sequence === this.#log.last) this.#finish(true);
      else if (subscriber.isSlow) break;
      else if (spent >= budget) {
        this.wantsMore = true;
        break;
      } else spent += this.#sendNext(subscriber);
    }
    return spent;
  }

  #sendNext(subscriber: Subscriber): number {
    const sequence = ++this.#sequence;
    if (this.#own?.delete(sequence)) return 0;
    const entry = this.#log.get(sequence);
    const payload = entry === undefined ? null : this.#queue.format(this.#log, sequence, entry);
    if (payload === null) return MESSAGE_COST;
    if (typeof payload === "string" || subscriber.protocol?.hasBinary) {
      subscriber.writeMessage(payload);
    }
    return payload.length + MESSAGE_COST;
  }

  #finish(recovered: boolean): void {
    this.#stop();
    const { subscriber, topic } = this.#target;
    const policy = subscriber.policies?.get(topic);
    if (policy !== undefined) {
      policy.recovery = null;
      tidyPolicy(subscriber, topic);
    }
    this.#resolve({ recovered, position: this.#log.position });
  }

  #stop(): void {
    this.#isOver = true;
    this.#own = null;
    this.#queue.delete(this);
  }
}
