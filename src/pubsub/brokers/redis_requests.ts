/**
 * Requests to Redis servers: limited in number by their bytes, and each with a timeout.
 *
 * @module
 */
import { messageOf, toError } from "../../guard.ts";
import { type CallRouter, RedisCalls } from "./redis_calls.ts";
import type { RedisShard } from "./redis_shard.ts";
import type { RunScript } from "./redis_store.ts";
import { inTime } from "./time_limit.ts";

/** The servers that requests are sent to. */
export interface RequestServers extends CallRouter {
  /** Returns the server that has a topic. @throws {Error} If none is connected. */
  shardOf(topic: string): RedisShard;
}

/** The memory of a pending command in a client library, without its bytes: 1.1 to 2.4 KiB. */
export const COMMAND_SIZE = 2048;

/** Sends commands of topics. */
export class RedisRequests {
  readonly #servers: RequestServers;
  readonly #calls: RedisCalls;
  readonly #timeout: number;

  /**
   * @param servers The servers.
   * @param timeout How long to wait for a reply, in milliseconds; 0 is no limit.
   */
  constructor(servers: RequestServers, timeout: number) {
    this.#servers = servers;
    this.#calls = new RedisCalls(servers);
    this.#timeout = timeout;
  }

  /** Runs a script. Rejects if no reply arrives within the timeout. */
  readonly run: RunScript = async (topic, { script, action, keys, args }) => {
    try {
      const shard = this.#servers.shardOf(topic);
      const { backlog } = shard;
      const size = sizeOf(args);
      if (!backlog.admits(size)) throw new Error("too many messages wait for a reply");
      let late: Error | undefined;
      const command = { topic, script, args: [`${keys.length}`, ...keys, ...args] };
      const reply = this.#calls.send({ ...command, expired: () => late }).catch(noticed(shard));
      backlog.add(size);
      const settled = () => backlog.remove(size);
      reply.then(settled, settled);
      const timeout = this.#timeout;
      return await inTime(reply, timeout, () => {
        throw late = new Error(`no reply within requestTimeout (${timeout} ms)`);
      });
    } catch (error) {
      const what = `Cannot ${action} topic ${JSON.stringify(topic)} in Redis`;
      throw new Error(`${what}: ${messageOf(error)}`, { cause: error });
    }
  };

  /**
   * Sends a message.
   *
   * @param topic The topic.
   * @param command The command.
   * @param failed Called if it fails.
   * @returns Whether it was sent. If not, too many messages wait for the server of the topic.
   * @throws {Error} If no server that has the topic is connected.
   */
  publish(
    topic: string,
    command: readonly [string, string, Uint8Array],
    failed: (error: Error, shard: RedisShard) => void,
  ): boolean {
    const shard = this.#servers.shardOf(topic);
    const { backlog } = shard;
    const size = sizeOf(command);
    if (!backlog.admits(size)) return false;
    const reply = this.#calls.send({ topic, args: command }).catch(noticed(shard));
    backlog.add(size);
    reply.then(() => backlog.remove(size), (error) => {
      backlog.remove(size);
      failed(toError(error), shard);
    });
    return true;
  }

  /** Fails requests that wait. */
  close(error: Error): void {
    this.#calls.close(error);
  }
}

/**
 * How many turns of the event loop a client library may take to notice that a connection is lost. A
 * turn takes a millisecond or more. They are counted, since no time tells whether a busy process has
 * read its sockets.
 */
const NOTICE_TURNS = 100;

/**
 * Throws an error, after the client library has noticed that the connection is lost. It may refuse
 * commands before: then whoever hears of the failure would not know the reason.
 */
function noticed(shard: RedisShard): (error: unknown) => Promise<never> {
  return async (error) => {
    // An error that Redis has replied begins with a code.
    if (/^[A-Z]+ /.test(messageOf(error))) throw error;
    let turns = 0;
    do {
      await new Promise((resolve) => setTimeout(resolve, 1));
    } while (shard.isReady && ++turns < NOTICE_TURNS);
    throw error;
  };
}

function sizeOf(args: readonly (string | Uint8Array)[]): number {
  return args.reduce((sum, arg) => sum + arg.length, COMMAND_SIZE);
}
