/**
 * The rules for topics.
 *
 * @module
 */

/**
 * The longest topic, in UTF-16 code units. Brokers limit the names of channels (NATS: a control
 * line of 4096 bytes), and topics often contain input of clients.
 */
const MAX_TOPIC_LENGTH = 256;

/**
 * Checks a topic.
 *
 * @param topic The topic.
 * @param action The action for the error: `"subscribe to"`.
 * @throws {TypeError} If it is not a string of 1 to 256 code units without lone surrogates. In
 * UTF-8, which brokers use, all lone surrogates are the same.
 */
export function checkTopic(topic: unknown, action: string): asserts topic is string {
  if (typeof topic !== "string") {
    throw new TypeError(`Cannot ${action} ${describe(topic)}: a topic must be a string`);
  }
  if (topic === "") throw new TypeError(`Cannot ${action} "": a topic must not be empty`);
  if (topic.length > MAX_TOPIC_LENGTH) {
    throw new TypeError(
      `Cannot ${action} a topic of ${topic.length} characters: must have at most ${MAX_TOPIC_LENGTH}`,
    );
  }
  if (!topic.isWellFormed()) {
    throw new TypeError(
      `Cannot ${action} ${JSON.stringify(topic)}: must not have a lone surrogate`,
    );
  }
}

function describe(value: unknown): string {
  if (value === null || value === undefined || typeof value === "number") return String(value);
  return `a value of type ${typeof value}`;
}
