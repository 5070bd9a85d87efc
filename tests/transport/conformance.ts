/**
 * The conformance suite of the transport interface: what the core may rely on with any transport.
 *
 * @module
 */
import { assert } from "@std/assert";
import { describe, test } from "node:test";
import type { Connection, Link } from "./links.ts";
import { ending } from "./rows/ending.ts";
import { input } from "./rows/input.ts";
import { output } from "./rows/output.ts";

/** The groups of tests. Each test uses a new connection. */
export type Rows = Readonly<Record<string, (connection: Connection, link: Link) => Promise<void>>>;

/** Runs the suite over connections that `makeLink` makes. */
export function conformance(name: string, makeLink: () => Link): void {
  describe(name, () => {
    for (const [title, row] of Object.entries({ ...output, ...input, ...ending })) {
      test(title, { timeout: 240_000 }, async () => {
        const link = makeLink();
        try {
          const connection = await link.connect();
          await row(connection, link);
          connection.recorder.check();
          assert(connection.peer.intact, "the peer received wrong bytes");
        } finally {
          await link.close();
        }
      });
    }
  });
}
