/**
 * Lists the handlers of open connections. Connections may open and close during the iteration.
 *
 * @module
 */
import { has } from "../pubsub/small_set.ts";
import type { Subscriber } from "../pubsub/subscriber.ts";
import type { Topics } from "../pubsub/topics.ts";
import type { ConnectionGroup } from "./connection_group.ts";
import type { AnyHandler } from "./handler.ts";
import { ServerConnection } from "./server_connection.ts";

/** Returns the handler of a connection that is open; `null` if it is not. */
function openHandler(connection: object): AnyHandler | null {
  return connection instanceof ServerConnection && connection.connection?.isOpen === true
    ? connection.handler
    : null;
}

/** See `Application.connections`. */
export function* openHandlers(
  groups: Iterable<ConnectionGroup>,
): Generator<AnyHandler, void, undefined> {
  // Iterate over copies: the sets change if the caller closes connections.
  for (const group of [...groups]) {
    for (const connection of group.connections()) {
      const handler = openHandler(connection);
      if (handler !== null) yield handler;
    }
  }
}

/** See `Application.subscribers`. */
export function subscribedHandlers(
  topics: Topics,
  topic: string,
): Generator<AnyHandler, void, undefined> {
  // Check here and not in the generator, so that the call itself throws.
  return handlersOf(topics.members(topic), topic);
}

function* handlersOf(
  subscribers: readonly Subscriber[],
  topic: string,
): Generator<AnyHandler, void, undefined> {
  for (const subscriber of subscribers) {
    const handler = openHandler(subscriber);
    if (handler !== null && has(subscriber.topics, topic)) yield handler;
  }
}
