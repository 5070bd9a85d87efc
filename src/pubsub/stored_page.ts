/**
 * Checks what a broker says about stored messages. It may be of another version or author.
 *
 * @module
 */
import type { HistoryPage, KeptMessage, Position } from "./brokers/broker.ts";
import { isPosition } from "./position.ts";

/**
 * Checks the answer of `BrokerHistory.read`.
 *
 * @param since The position that was asked for.
 * @throws {TypeError} If it breaks a rule.
 */
export function checkPage(page: HistoryPage, since: Position | undefined): HistoryPage {
  const broken = RULES.find(([isBroken]) => isBroken(page, since));
  if (broken === undefined) return page;
  throw new TypeError(`Cannot use the history of a topic: ${broken[1]}`);
}

/**
 * Checks the answer of `BrokerHistory.append`.
 *
 * @throws {TypeError} If it is not a position of a message.
 */
export function checkStored(position: Position): Position {
  if (isPosition(position) && position.offset > 0) return position;
  throw new TypeError("Cannot use the position of a stored message: must be { epoch, offset }");
}

type Rule = readonly [
  isBroken: (page: HistoryPage, since: Position | undefined) => boolean,
  because: string,
];

const RULES: readonly Rule[] = [
  [(page) => typeof page !== "object" || page === null, "must be an object"],
  [({ position }) => !isPosition(position), "position must be { epoch, offset }"],
  [({ complete }) => typeof complete !== "boolean", "complete must be a boolean"],
  [
    ({ messages }) => !Array.isArray(messages) || !messages.every(isKept),
    "messages must be an array of { offset, time, message }",
  ],
  [
    ({ messages }) => messages.some(({ offset }, at) => offset !== (messages[0]?.offset ?? 0) + at),
    "the offsets of messages must be consecutive",
  ],
  [
    ({ position, messages }) => (messages.at(-1)?.offset ?? 0) > position.offset,
    "the position must be that of the newest message",
  ],
  [
    ({ complete, messages, position }) =>
      complete && messages.length > 0 && messages.at(-1)?.offset !== position.offset,
    "complete is true, but the newest message is missing",
  ],
  [
    ({ complete, messages, position }, since) =>
      complete && position.epoch === since?.epoch &&
      since.offset + messages.length !== position.offset,
    "complete is true, but messages are missing",
  ],
];

function isKept(message: unknown): message is KeptMessage {
  if (typeof message !== "object" || message === null) return false;
  const { offset, time, message: bytes } = message as Partial<KeptMessage>;
  return Number.isSafeInteger(offset) && Number(offset) > 0 && Number.isFinite(time) &&
    bytes instanceof Uint8Array;
}

/** The offset before the first message of a page. */
export function offsetBefore({ position, messages }: HistoryPage): number {
  return (messages[0]?.offset ?? position.offset + 1) - 1;
}
