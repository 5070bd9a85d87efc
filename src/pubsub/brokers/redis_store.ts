/**
 * History and presence in Redis.
 *
 * @module
 */
import type {
  BrokerHistory,
  BrokerPresence,
  HistoryLimits,
  HistoryPage,
  KeptMessage,
  Position,
  PresenceChange,
  PresenceEntry,
} from "./broker.ts";
import { type Script, scriptOf } from "./redis_calls.ts";
import { APPEND, ENTER, LEAVE, LIST, READ } from "./redis_scripts.ts";
import { keyOf } from "./redis_topics.ts";

/** Runs a script for a topic. Rejects after a timeout. */
export type RunScript = (topic: string, call: {
  readonly script: Script;
  /** What it does, for errors: `"store a message of"`. */
  readonly action: string;
  readonly keys: readonly string[];
  readonly args: readonly (string | Uint8Array)[];
}) => Promise<unknown>;

/** What a store needs. */
export interface StoreOptions {
  /** The prefix of all keys. */
  readonly prefix: string;
  /** Runs scripts. */
  readonly run: RunScript;
  /** Returns the channel of a topic. */
  readonly channelOf: (topic: string) => string;
  /** `PUBLISH` or `SPUBLISH`. */
  readonly publishCommand: string;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Creates random characters: 64 different ones. */
function randomText(length: number): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return Array.from(bytes, (byte) => letters[byte % 64]).join("");
}

/** Creates a {@linkcode BrokerHistory}. */
export async function redisHistory(options: StoreOptions): Promise<BrokerHistory> {
  return new RedisHistory(options, await scriptOf(APPEND), await scriptOf(READ));
}

/** Creates a {@linkcode BrokerPresence}. */
export async function redisPresence(options: StoreOptions): Promise<BrokerPresence> {
  const [enter, leave, list] = await Promise.all([ENTER, LEAVE, LIST].map(scriptOf));
  return new RedisPresence(options, { enter: enter!, leave: leave!, list: list! });
}

class RedisHistory implements BrokerHistory {
  readonly #options: StoreOptions;
  readonly #append: Script;
  readonly #read: Script;
  /** The beginning of the epochs that this process proposes. */
  readonly #epoch = randomText(16);
  #epochs = 0;

  constructor(options: StoreOptions, append: Script, read: Script) {
    this.#options = options;
    this.#append = append;
    this.#read = read;
  }

  async append(topic: string, message: Uint8Array, limits: HistoryLimits): Promise<Position> {
    const { run, channelOf, publishCommand } = this.#options;
    const { size, ttl, maxBytes } = limits;
    const reply = await run(topic, {
      script: this.#append,
      action: "store a message of",
      keys: this.#keysOf(topic),
      args: [
        this.#unusedEpoch(),
        publishCommand,
        channelOf(topic),
        message,
        numberText(size),
        numberText(ttl),
        numberText(maxBytes),
      ],
    });
    return positionOf(topic, arrayOf(reply));
  }

  async read(topic: string, since?: Position): Promise<HistoryPage> {
    const reply = arrayOf(
      await this.#options.run(topic, {
        script: this.#read,
        action: "read the history of",
        keys: this.#keysOf(topic),
        args: [
          this.#unusedEpoch(),
          since?.epoch ?? "",
          since === undefined ? "" : numberText(since.offset),
        ],
      }),
    );
    const position = positionOf(topic, reply);
    const messages = messagesOf(topic, reply.slice(3));
    const offset = messages.at(-1)?.offset ?? position.offset;
    if (offset !== position.offset) {
      throw damaged(topic, `the newest message to have the offset ${position.offset}`, offset);
    }
    return { position, complete: reply[2] === 1, messages };
  }

  #keysOf(topic: string): string[] {
    const { prefix } = this.#options;
    return [keyOf(prefix, topic, "meta"), keyOf(prefix, topic, "log")];
  }

  #unusedEpoch(): string {
    return `${this.#epoch}${(++this.#epochs).toString(36)}`;
  }
}

class RedisPresence implements BrokerPresence {
  readonly #options: StoreOptions;
  readonly #scripts: Readonly<Record<"enter" | "leave" | "list", Script>>;
  /** The name of this process. */
  readonly #holder = randomText(16);

  constructor(
    options: StoreOptions,
    scripts: Readonly<Record<"enter" | "leave" | "list", Script>>,
  ) {
    this.#options = options;
    this.#scripts = scripts;
  }

  async enter(
    topic: string,
    entries: readonly PresenceEntry[],
    ttl: number,
  ): Promise<PresenceChange> {
    const pairs = entries.flatMap(({ id, info }) => [id, info]);
    const args = [this.#holder, numberText(ttl), ...pairs];
    return changeOf(topic, await this.#run(topic, "enter", args));
  }

  async leave(topic: string, ids: readonly string[]): Promise<PresenceChange> {
    return changeOf(topic, await this.#run(topic, "leave", [this.#holder, ...ids]));
  }

  async list(topic: string): Promise<readonly PresenceEntry[]> {
    return entriesOf(topic, await this.#run(topic, "list", []));
  }

  #run(topic: string, name: "enter" | "leave" | "list", args: string[]): Promise<unknown> {
    const { prefix, run } = this.#options;
    const keys = [keyOf(prefix, topic, "present"), keyOf(prefix, topic, "who")];
    return run(topic, {
      script: this.#scripts[name],
      action: `${name} the presence of`,
      keys,
      args,
    });
  }
}

// --- Replies ------------------------------------------------------------------------------------

/** Writes a number for a script. `Infinity` is the largest safe integer. */
function numberText(value: number): string {
  return `${Math.min(value, Number.MAX_SAFE_INTEGER)}`;
}

function damaged(topic: string, expected: string, value: unknown): Error {
  return new Error(
    `Cannot use what Redis stores for topic ${JSON.stringify(topic)}: expected ${expected}, ` +
      `got ${JSON.stringify(value)}`,
  );
}

function arrayOf(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) ? reply : [];
}

function textOf(value: unknown): string {
  return value instanceof Uint8Array ? decoder.decode(value) : String(value);
}

function positionOf(topic: string, [epoch, offset]: readonly unknown[]): Position {
  const position = { epoch: textOf(epoch), offset: Number(textOf(offset)) };
  if (!(epoch instanceof Uint8Array) || !Number.isSafeInteger(position.offset)) {
    throw damaged(topic, "an epoch and an offset", [String(epoch), String(offset)]);
  }
  return position;
}

/** Decodes id, time and message of each. A hole must not look like a complete history. */
function messagesOf(topic: string, values: readonly unknown[]): KeptMessage[] {
  const messages: KeptMessage[] = [];
  for (let at = 0; at < values.length; at += 3) {
    const [id, time, message] = [
      textOf(values[at]),
      Number(textOf(values[at + 1])),
      values[at + 2],
    ];
    const offset = Number(/^(\d+)-0$/.exec(id)?.[1]);
    const before = messages.at(-1)?.offset ?? offset - 1;
    if (offset !== before + 1) throw damaged(topic, `message ${before + 1}-0`, id);
    if (!(message instanceof Uint8Array) || !Number.isSafeInteger(time)) {
      throw damaged(topic, `a time and bytes in message ${id}`, [time, typeof message]);
    }
    messages.push({ offset, time, message });
  }
  return messages;
}

function changeOf(topic: string, reply: unknown): PresenceChange {
  const [joined, left] = arrayOf(reply);
  return { joined: entriesOf(topic, joined), left: entriesOf(topic, left) };
}

function entriesOf(topic: string, reply: unknown): PresenceEntry[] {
  const entries: PresenceEntry[] = [];
  const values = arrayOf(reply);
  for (let at = 0; at < values.length; at += 2) {
    if (!(values[at] instanceof Uint8Array) || !(values[at + 1] instanceof Uint8Array)) {
      throw damaged(topic, "ids with information", values.slice(at, at + 2).map(String));
    }
    entries.push({ id: textOf(values[at]), info: textOf(values[at + 1]) });
  }
  return entries;
}
