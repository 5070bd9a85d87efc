/**
 * The limits of a connection: of its output and input, and of how fast its client may send.
 *
 * @module
 */
import type { ConnectionRate } from "../../src/connection/flood_control.ts";
import { LARGEST_CHUNK } from "./chance.ts";
import type { Member } from "./member.ts";
import type { PlanSettings } from "./plan.ts";
import type { ClientSide } from "./sides.ts";

/** How late a timer may be, in milliseconds: some ticks of the timing wheel. */
export const LATE = 150;
/** How much a stream of Node, and our transport of a socket of Node, hold while paused, in bytes. */
const HELD = 65_536 + LARGEST_CHUNK;
const HELD_AFTER = {
  listener: 0,
  stream: HELD,
  "queued stream": HELD,
  upgrade: 2 * HELD,
} as const;
/** How much may wait in the socket of a session of HTTP/2, in bytes: three limits of its streams. */
const SESSION_OUTPUT = (256 + 64 + 64) * 1024;
/** Up to this size, a message is written without a check for room, in bytes. */
const SHORT = 4096;
/** How much an event takes in a queue besides its message, at most, in bytes. */
const EVENT = 500;
/** Room for control frames, in bytes. */
const CONTROL_FRAMES = 500;

/** Checks `maxBufferedAmount`. @param largest The longest frame of the topic, in bytes. */
export function checkOutput(
  member: Member,
  { maxBufferedAmount, highWaterMark }: PlanSettings,
  largest: number,
): void {
  // One short message may exceed the limit. A ping or a close frame may come on top, and the next piece
  // of a message.
  const { largestWrite, sending } = member.handler;
  const piece = sending > 0 ? largestWrite : 0;
  const whole = highWaterMark + Math.max(largestWrite, largest);
  const short = maxBufferedAmount + Math.min(largestWrite, SHORT);
  const most = Math.max(short, whole) + piece + CONTROL_FRAMES;
  const buffered = member.handler.buffered();
  member.must(buffered <= most, () => `${buffered} bytes of output wait, at most ${most} may`);
  const queued = member.handler.queued();
  const mostQueued = SESSION_OUTPUT + CONTROL_FRAMES;
  member.must(queued <= mostQueued, () => `${queued} bytes wait in a socket of HTTP/2`);
}

/** Checks that reading stops when `maxQueuedSize` bytes wait. */
export function checkInput(member: Member, { maxQueuedSize }: PlanSettings): void {
  const { client, handler, plan } = member;
  const isDivided = plan.split === "bytes" || plan.split === "random";
  if (plan.kind !== "raw" || !isDivided || plan.reading !== "whole") return;
  // What a client sends after it has broken a rule is read and dropped.
  if (client.violations.size > 0) return;
  const handled = handler.handled === 0 ? 0 : client.ends[handler.handled - 1] ?? 0;
  const waiting = client.bytes - handled - client.unsent() - plan.capacity;
  const held = HELD_AFTER[plan.arrival];
  // A queue counts the UTF-16 units of texts, which have up to two bytes here.
  const most = 2 * maxQueuedSize + 2 * client.longest + LARGEST_CHUNK + CONTROL_FRAMES + held;
  member.must(waiting <= most, () => `${waiting} bytes of input wait, at most ${most} may`);
}

/** Whether so much may wait for a busy handler that nothing more is read. */
export function mayQueueBeFull(
  { client, handler, plan }: Member,
  { maxQueuedSize }: PlanSettings,
): boolean {
  if (plan.reading !== "whole") {
    return maxQueuedSize < 65_536 || client.sent.length > handler.handled + 1;
  }
  const waiting = client.sent.slice(handler.handled);
  const others = client.units - client.sent.length;
  const size = waiting.reduce((size, text) => size + 2 * text.length, 0) +
    EVENT * (waiting.length + others);
  return size > 0 && size >= maxQueuedSize;
}

/** No more may be handled than a rate allows since the client has connected. */
export function checkRate(member: Member, rate: ConnectionRate | undefined, now: number): void {
  if (rate === undefined) return;
  const { client: { connectedAt }, handler: { handled } } = member;
  // The message that takes the last token is delivered.
  const most = rate.burst + rate.perSecond * (now - connectedAt) / 1000 + 1;
  member.must(handled <= most, () => `${handled} messages were handled, at most ${most} may be`);
}

/** Checks that a client that exceeds a rate was closed, if it must be. */
export function checkRefused(
  member: Member,
  { rate, count, now }: {
    readonly rate: ConnectionRate | undefined;
    readonly count: number;
    readonly now: number;
  },
): void {
  if (rate?.action !== "close" || !member.isHybi) return;
  const most = rate.burst + rate.perSecond * (now - member.client.connectedAt) / 1000;
  member.must(count <= most, () => `not closed after ${count}, at most ${most} are allowed`);
}

/** How long messages may wait because of the rates, in milliseconds. */
export function delayOf(
  { units, bytes }: ClientSide,
  { messageRate, byteRate }: PlanSettings,
): number {
  let longest = 0;
  for (const [rate, count] of [[messageRate, units], [byteRate, bytes]] as const) {
    if (rate === undefined || rate.action === "close" || count < rate.burst) continue;
    // Each message may wait for a tick of the timing wheel besides.
    longest += count / rate.perSecond * 1000 + units * LATE;
  }
  return longest;
}
