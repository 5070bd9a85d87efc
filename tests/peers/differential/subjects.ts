/**
 * Starts the servers that are compared.
 *
 * @module
 */
import { MESSAGE_LIMIT, REPORT_PORT } from "../../client/peers/reporter.ts";
import { peers, type PeerServer, startPeer } from "../../client/peers/start.ts";
import { Reports } from "../../support/reports.ts";
import { runtimes } from "../../support/runtime.ts";
import type { Subject } from "./conversation.ts";

/** The size of the largest message, in bytes. The traffic exceeds it. */
export const LIMIT = 70_000;

/** The server that the others are compared with. */
export const REFERENCE = "Waterspout on node";

/** The server that has the same protocol code as websocket-driver. */
const SAME = "faye-websocket";

/** All servers, running. */
export interface Subjects extends AsyncDisposable {
  /** Ours on Node, which the others are compared with. */
  readonly reference: Subject;
  /** The servers of other projects, and ours on the other runtimes. */
  readonly others: readonly Subject[];
}

/** Starts all servers. The caller must stop them. */
export async function startSubjects(): Promise<Subjects> {
  await using stack = new AsyncDisposableStack();
  const reports = stack.adopt(new Reports(), (all) => all.stop());
  const env = { [REPORT_PORT]: `${await reports.listen()}`, [MESSAGE_LIMIT]: `${LIMIT}` };
  const started: [name: string, peer: PeerServer][] = [];
  for (const [name, peer] of Object.entries(peers)) {
    if (name !== "Waterspout") started.push([name, peer]);
    else {for (const runtime of runtimes) {
        started.push([`${name} on ${runtime}`, { ...peer, runtime }]);
      }}
  }
  const all = await Promise.all(
    started.filter(([name]) => name !== SAME).map(async ([name, peer]) => {
      const { child, url } = await startPeer(peer, env);
      let stopping = false;
      stack.defer(async () => {
        stopping = true;
        await child.stop("SIGKILL");
      });
      child.exited.then((code) => {
        if (!stopping) console.error(`${name} has ended with ${code}:\n${child.output}`);
      });
      const { versions, compresses } = peer;
      const port = Number(new URL(url).port);
      return { name, port, versions, compresses, reports: (path: string) => reports.take(path) };
    }),
  );
  const moved = stack.move();
  return {
    reference: all.find(({ name }) => name === REFERENCE) as Subject,
    others: all.filter(({ name }) => name !== REFERENCE),
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}
