/**
 * What may be a topic.
 *
 * @module
 */

/**
 * The longest topic, in UTF-16 code units. Brokers limit the names of their channels (NATS: 4096
 * bytes of control line), and a topic is often made from what a client sent.
 */
export const MAX_TOPIC_LENGTH = 256;

/**
 * Checks a topic.
 *
 * @param topic What is given as a topic.
 * @param action What is to be done with it, for the error: `"subscribe to"`.
 * @throws {TypeError} If it is not a string of 1 to 256 code units without lone surrogates, which
 * a broker could not tell apart.
 */
export function checkTopic(topic: unknown, action: string): asserts topic is string {
  if (typeof topic !== "string") {
    throw new TypeError(`Cannot ${action} ${describe(topic)}: a topic is a string`);
  }
  if (topic === "") throw new TypeError(`Cannot ${action} "": a topic has a character at least`);
  if (topic.length > MAX_TOPIC_LENGTH) {
    throw new TypeError(
      `Cannot ${action} a topic of ${topic.length} characters: at most ${MAX_TOPIC_LENGTH}`,
    );
  }
  if (!topic.isWellFormed()) {
    throw new TypeError(`Cannot ${action} ${JSON.stringify(topic)}: it has a lone surrogate`);
  }
}

function describe(value: unknown): string {
  if (value === null || value === undefined || typeof value === "number") return String(value);
  return `a value of type ${typeof value}`;
}
