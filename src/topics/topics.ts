/**
 * Who subscribes to what, and one message to all of them, encoded once per wire format.
 *
 * @module
 */
import type { Connection } from "../connection.ts";
import { type Message, toPayload } from "../message.ts";
import { Output } from "../protocol/output.ts";

/** The topics of an application. */
export class Topics {
  readonly #subscribers: Map<string, Set<Connection>> = new Map();

  /** Adds a subscriber, if it is open. */
  subscribe(connection: Connection, topic: string): void {
    if (typeof topic !== "string") {
      throw new TypeError(`Cannot subscribe to ${String(topic)}: a topic is a string`);
    }
    if (!connection.isOpen) return;
    let subscribers = this.#subscribers.get(topic);
    if (subscribers === undefined) this.#subscribers.set(topic, subscribers = new Set());
    subscribers.add(connection);
    (connection.topics ??= new Set()).add(topic);
  }

  /** Takes a subscriber out. */
  unsubscribe(connection: Connection, topic: string): void {
    connection.topics?.delete(topic);
    const subscribers = this.#subscribers.get(topic);
    if (subscribers === undefined) return;
    subscribers.delete(connection);
    if (subscribers.size === 0) this.#subscribers.delete(topic);
  }

  /** Takes a subscriber out of all its topics. */
  leave(connection: Connection): void {
    for (const topic of connection.topics ?? []) this.unsubscribe(connection, topic);
    connection.topics = null;
  }

  /** How many connections subscribe to a topic. */
  count(topic: string): number {
    return this.#subscribers.get(topic)?.size ?? 0;
  }

  /**
   * Sends a message to the subscribers of a topic.
   *
   * @param topic The topic.
   * @param message The message.
   * @param except Who does not get it.
   * @returns How many could not be sent it, because their version has no binary messages.
   */
  publish(topic: string, message: Message, except?: Connection): number {
    const payload = toPayload(message);
    const frames: Map<string, Uint8Array | null> = new Map();
    let unable = 0;
    for (const connection of this.#subscribers.get(topic) ?? []) {
      if (connection === except || connection.protocol === null) continue;
      const { format } = connection.protocol;
      if (format === undefined) {
        connection.writeMessage(payload);
        continue;
      }
      let frame = frames.get(format);
      if (frame === undefined) frames.set(format, frame = encode(connection, payload));
      if (frame === null) unable++;
      else connection.writeFrame(frame);
    }
    return unable;
  }
}

/** The frame of a message in a connection's format; `null` if its version has no such message. */
function encode(connection: Connection, payload: string | Uint8Array): Uint8Array | null {
  const { protocol } = connection;
  if (protocol === null) return null;
  const output = new Output();
  if (typeof payload === "string") protocol.writeText(output, payload);
  else if (connection.hasBinary) protocol.writeBinary(output, payload);
  else return null;
  return output.take();
}
