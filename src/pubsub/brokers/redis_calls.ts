/**
 * Commands to Redis that must be executed in order, although Redis may refuse one that has others
 * behind it.
 *
 * @module
 */
import { toError } from "../../guard.ts";
import type { RedisLink } from "./redis_link.ts";

/** Where a command is sent. */
export interface CallTarget {
  /** The connection. */
  readonly publisher: RedisLink;
}

/** A script, with the name under which Redis keeps it. */
export interface Script {
  /** The source, in Lua. */
  readonly source: string;
  /** The SHA-1 of the source, in hexadecimal. */
  readonly digest: string;
}

/** The scripts by source: each broker has the same few. */
const scripts: Map<string, Promise<Script>> = new Map();

/** Returns a script with its name, which is computed once. */
export function scriptOf(source: string): Promise<Script> {
  const known = scripts.get(source);
  if (known !== undefined) return known;
  const script = makeScript(source);
  scripts.set(source, script);
  return script;
}

async function makeScript(source: string): Promise<Script> {
  const bytes = new Uint8Array(
    await crypto.subtle.digest("SHA-1", new TextEncoder().encode(source)),
  );
  const digest = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { source, digest };
}

/** A command. */
export interface Call {
  /** The topic. It decides which server gets the command. */
  readonly topic: string;
  /** The script. Without one, the arguments are the whole command. */
  readonly script?: Script;
  /** The arguments. Those of a script begin with the number of keys. */
  readonly args: readonly (string | Uint8Array)[];
  /** Returns the error of a caller that no longer waits; the command is then not sent again. */
  readonly expired?: () => Error | undefined;
}

/** What a {@linkcode RedisCalls} needs from a broker. */
export interface CallRouter {
  /** The server that has a topic. @throws {Error} If none is known or reachable. */
  targetOf(topic: string): CallTarget;
  /** The server that a reply `ASK` names, while a slot moves. */
  targetAt(address: string): CallTarget;
  /** Prepares for sending refused commands again, for example by asking which server has which slot. */
  recover(errors: readonly Error[]): Promise<void>;
}

/** A command on its way. */
interface Pending extends Call {
  readonly number: number;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: Error) => void;
  refusals: number;
  /** Whether the whole script is sent, because the server does not know its name. */
  whole: boolean;
  /** The server that a reply `ASK` has named. */
  asked: string | undefined;
}

/** The commands of a topic. */
interface Lane {
  /** The number of commands without a reply. */
  pending: number;
  /** Refused commands, and those behind them; absent if all are sent at once. */
  held: Pending[] | undefined;
  /** Why commands were refused since the last recovery. */
  errors: Error[];
}

/** How often a command may be refused, unless it must wait for a slot that moves. */
const MAX_REFUSALS = 8;

/**
 * Refusals after which a command is sent again. None of them means that it was executed. Redis has
 * forgotten its scripts (`NOSCRIPT`), or another server of a cluster has the topic.
 */
const REFUSALS = /^(NOSCRIPT|MOVED|ASK|TRYAGAIN) ?/;

/**
 * Sends commands. If Redis refuses one, the later ones of the same topic are held until all replies
 * of the topic have arrived. Then the first is sent again alone, and after its success the others,
 * in their order.
 */
export class RedisCalls {
  readonly #router: CallRouter;
  #count = 0;
  /** The topics with commands on their way. */
  readonly #lanes: Map<string, Lane> = new Map();
  #closed: Error | undefined;

  constructor(router: CallRouter) {
    this.#router = router;
  }

  /** Sends a command. Resolves to its reply. */
  send(call: Call): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const number = ++this.#count;
      const fresh = { refusals: 0, whole: false, asked: undefined };
      const pending: Pending = { ...call, ...fresh, number, resolve, reject };
      let lane = this.#lanes.get(call.topic);
      if (lane === undefined) {
        lane = { pending: 0, held: undefined, errors: [] };
        this.#lanes.set(call.topic, lane);
      }
      if (lane.held !== undefined) lane.held.push(pending);
      else this.#write(pending, lane);
      this.#sweep(call.topic, lane);
    });
  }

  /** Fails the commands that wait, and all later ones. */
  close(error: Error): void {
    this.#closed = error;
    for (const lane of this.#lanes.values()) {
      for (const call of lane.held?.splice(0) ?? []) call.reject(error);
    }
  }

  #sweep(topic: string, lane: Lane): void {
    if (lane.pending === 0 && lane.held === undefined) this.#lanes.delete(topic);
  }

  /** Sends a command. Returns whether that was possible; if not, the command has failed. */
  #write(call: Pending, lane: Lane): boolean {
    const { asked } = call;
    try {
      const expired = this.#closed ?? call.expired?.();
      if (expired !== undefined) throw expired;
      const { publisher } = asked === undefined
        ? this.#router.targetOf(call.topic)
        : this.#router.targetAt(asked);
      // ASKING is valid for one command. If it fails, so does the command.
      if (asked !== undefined) publisher.command(["ASKING"]).catch(() => {});
      call.asked = undefined;
      publisher.command(commandOf(call)).then(call.resolve, (error) => {
        this.#failed(call, lane, toError(error));
      }).finally(() => this.#replied(call.topic, lane));
    } catch (error) {
      call.reject(toError(error));
      return false;
    }
    lane.pending++;
    return true;
  }

  #failed(call: Pending, lane: Lane, error: Error): void {
    const [, code] = REFUSALS.exec(error.message) ?? [];
    if (code === "NOSCRIPT" || code === "MOVED") call.refusals++;
    if (code === undefined || call.refusals >= MAX_REFUSALS || this.#closed) {
      return call.reject(error);
    }
    if (code === "NOSCRIPT") call.whole = true;
    if (code === "ASK") call.asked = error.message.split(" ")[2];
    lane.held ??= [];
    lane.held.push(call);
    lane.errors.push(error);
  }

  #replied(topic: string, lane: Lane): void {
    lane.pending--;
    if (lane.pending > 0) return;
    if (lane.errors.length > 0) void this.#recover(topic, lane);
    else this.#release(topic, lane);
  }

  async #recover(topic: string, lane: Lane): Promise<void> {
    try {
      await this.#router.recover(lane.errors.splice(0));
    } catch {
      // The command is refused again, and its caller learns it.
    }
    lane.held?.sort((a, b) => a.number - b.number);
    // Only one: the server may accept a command behind one that it refuses.
    for (let first = lane.held?.shift(); first !== undefined; first = lane.held?.shift()) {
      if (this.#write(first, lane)) return;
    }
    this.#release(topic, lane);
  }

  #release(topic: string, lane: Lane): void {
    const calls = lane.held ?? [];
    lane.held = undefined;
    for (const call of calls) this.#write(call, lane);
    this.#sweep(topic, lane);
  }
}

function commandOf({ script, whole, args }: Pending): readonly (string | Uint8Array)[] {
  if (script === undefined) return args;
  return whole ? ["EVAL", script.source, ...args] : ["EVALSHA", script.digest, ...args];
}
