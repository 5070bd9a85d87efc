/**
 * What a stall of a client's link means for what may be expected.
 *
 * @module
 */
import { Member } from "./member.ts";
import type { Visitor } from "./visitor.ts";

/** The link of a client stalls. */
export function stall(party: Member | Visitor, now: number): void {
  if (!(party instanceof Member)) {
    party.stalled = party.wasStalled = true;
    return;
  }
  const { client, causes } = party;
  if (!client.stalled) client.stalledAt = now;
  client.stalled = client.wasStalled = true;
  causes.add("timeout");
}

/** The link goes on, if it was stalled. What was sent meanwhile arrives now. */
export function endStall(party: Member | Visitor, now: number): void {
  const client = party instanceof Member ? party.client : party;
  if (client.stalled) client.leftAt = now;
  client.stalled = false;
}
