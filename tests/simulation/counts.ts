/**
 * Compares the counters of an application with what happened in its world.
 *
 * @module
 */
import type { Stats } from "../../src/metrics/snapshot.ts";
import { type Member, must } from "./member.ts";
import type { PlanSettings } from "./plan.ts";
import type { Visitor } from "./visitor.ts";

/** What happened to the clients of one application. */
export interface Happened {
  readonly members: readonly Member[];
  readonly visitors: readonly Visitor[];
  readonly settings: PlanSettings;
}

function sum<T>(list: readonly T[], count: (one: T) => number): number {
  return list.reduce((total, one) => total + count(one), 0);
}

/** What must hold when clients have connected. */
export function checkSockets({ sockets }: Stats, { settings: { maxConnections } }: Happened): void {
  must(sockets <= maxConnections, `${sockets} sockets of at most ${maxConnections}`);
}

/** What must hold at any time for the clients of one application. */
export function checkAddresses(
  members: readonly Member[],
  { maxConnectionsPerAddress }: PlanSettings,
): void {
  if (maxConnectionsPerAddress === Infinity) return;
  const counts = new Map<number, number>();
  for (const { plan: { address }, client, handler } of members) {
    // The limit is one of sockets: a handler that never settles may outlive its own.
    const hasSocket = !client.hasEnded && !client.gone;
    const isOpen = handler.opens > 0 && handler.ended === undefined && hasSocket;
    counts.set(address, (counts.get(address) ?? 0) + Number(isOpen));
  }
  for (const [address, count] of counts) {
    must(
      count <= maxConnectionsPerAddress,
      `${count} connections of ${address}, at most ${maxConnectionsPerAddress} may be`,
    );
  }
}

/** What must hold when the application has shut down. */
export function checkStats(stats: Stats, happened: Happened): void {
  checkNothingLeft(stats);
  checkConnections(stats, happened);
  checkTraffic(stats, happened);
  checkHandshakeRate(happened);
}

function checkNothingLeft({ connections, sockets, topics, subscriptions }: Stats): void {
  const left = { open: connections.open, sockets, topics, subscriptions };
  must(
    Object.values(left).every((count) => count === 0),
    `counters are left: ${JSON.stringify(left)}`,
  );
}

function checkConnections(stats: Stats, { members, visitors, settings }: Happened): void {
  const { connections, requests, closed } = stats;
  const opens = sum(members, ({ handler }) => handler.opens);
  must(connections.total === opens, `${connections.total} connections counted, ${opens} opened`);
  const codes = new Map<number, number>();
  for (const { handler } of members) {
    const { code } = handler.ended ?? {};
    if (handler.opens > 0 && code !== undefined) codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  for (const [code, count] of Object.entries(closed)) {
    const ended = codes.get(Number(code)) ?? 0;
    must(count === ended, `${count} counted as closed with ${code}, ${ended} were`);
  }
  must(sum(Object.values(closed), Number) === opens, "a connection was not counted as closed");
  const handled = sum(visitors, (visitor) => visitor.handled);
  must(requests >= handled, `${requests} requests counted, ${handled} handled`);
  checkRefused(stats, { members, visitors, settings });
}

function checkRefused({ refused }: Stats, { members, visitors }: Happened): void {
  const seen = members.filter(({ client }) => client.status !== undefined).length;
  const counted = sum(Object.values(refused), Number);
  must(counted >= seen, `${counted} refusals counted, ${seen} seen`);
  const unopened = members.filter(({ handler }) => handler.opens === 0).length;
  // A client of plain HTTP may be rejected, and end in the middle of a later request.
  const most = unopened + 2 * visitors.length;
  must(counted <= most, `${counted} refusals counted, at most ${most} happened`);
}

/** No address may have opened more connections than `handshakeRate` allows. */
function checkHandshakeRate({ members, settings: { handshakeRate: rate } }: Happened): void {
  if (rate === undefined) return;
  for (const address of new Set(members.map(({ plan }) => plan.address))) {
    const opened = members.filter(({ plan, client }) =>
      plan.address === address && client.handshake === "open"
    ).map(({ client }) => client);
    if (opened.length === 0) continue;
    const first = Math.min(...opened.map(({ connectedAt }) => connectedAt));
    const last = Math.max(...opened.map(({ openedAt }) => openedAt));
    const most = rate.burst + rate.perSecond * (last - first) / 1000;
    must(
      opened.length <= most,
      `${opened.length} handshakes of ${address}, at most ${most} may be`,
    );
  }
}

function checkTraffic({ traffic }: Stats, { members }: Happened): void {
  // A message of which the handler has read a part may have been cut off.
  const readers = members.filter(({ plan }) => plan.reading !== "part of stream");
  const handled = sum(readers, ({ handler }) => handler.handled);
  must(traffic.messagesIn >= handled, `${traffic.messagesIn} messages in, ${handled} handled`);
  const isClean = members.every(({ client }) => !client.hostile);
  const sent = sum(members, ({ client }) => client.sent.length);
  must(!isClean || traffic.messagesIn <= sent, `${traffic.messagesIn} messages in, ${sent} sent`);
  const received = sum(members, ({ client }) => client.replies.length + client.heard.size);
  must(
    traffic.messagesOut >= received,
    `${traffic.messagesOut} messages out, ${received} received`,
  );
}
