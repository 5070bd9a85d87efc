/**
 * Two restarts under load: each received message is handled, and each acknowledgement that a handler sends
 * arrives. The server runs in its own process. The next one listens on the same port before the old one
 * stops.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { sized } from "../support/sizes.ts";
import { type Child, spawnScript } from "../support/spawn.ts";
import { Fleet, heldIn } from "./restart_fleet.ts";
import type { Report } from "./scripts/restart.ts";

const CLIENTS = sized({ test: 100, soak: 2000 });
/** How many clients have a message in each lot that is handled when a shutdown has begun. */
const HOLDING = CLIENTS / 10;
/** How many messages a client has in a lot. The first lot ends with the first restart. */
const MESSAGES = 4;
/** How many acknowledgements of the next lot come before a restart. */
const UNDER_WAY = CLIENTS / 4;

/** The processes of a service, one after the other, on one port. */
class Service {
  readonly #folder = mkdtempSync(join(tmpdir(), "waterspout-restart-"));
  readonly #children: Child[] = [];
  port = 0;

  /** Starts a process that holds messages of a lot; resolves when it listens. */
  async start(lot: number): Promise<Child> {
    const report = join(this.#folder, `${this.#children.length}.json`);
    const child = spawnScript(
      "tests/server/scripts/restart.ts",
      [`${this.port}`, report, heldIn(lot), `${HOLDING}`],
      { denoFlags: ["--unstable-net"] },
    );
    this.#children.push(child);
    this.port = Number((await child.waitFor(/^port (\d+)$/m))[1]);
    return child;
  }

  /** What the processes have reported, in the order in which they were started. */
  reports(): Report[] {
    return this.#children.map((_, index) =>
      JSON.parse(readFileSync(join(this.#folder, `${index}.json`), "utf8"))
    );
  }

  async end(): Promise<void> {
    for (const child of this.#children) await child.stop("SIGKILL");
    rmSync(this.#folder, { recursive: true });
  }
}

/** Asserts that nothing was lost. */
function check(reports: readonly Report[], fleet: Fleet): void {
  const names = reports.flatMap((report) => report.handled);
  const handled = new Set(names);
  const refused = new Set(reports.flatMap((report) => report.refused));
  const unhandled = [...fleet.sent].filter((name) => !handled.has(name));
  assertEquals([names.length, unhandled], [handled.size, []]);
  // Each acknowledgement that was sent has arrived, and no other.
  const answered = names.filter((name) => !refused.has(name));
  const lost = answered.filter((name) => !fleet.acknowledged.has(name));
  assertEquals([fleet.acknowledged.size, lost], [answered.length, []]);
  for (const { read, handled, logged } of reports) {
    assertEquals([read, logged], [handled.length, []]);
  }
  assertEquals(reports.map(({ late }) => late), [HOLDING, HOLDING, 0]);
  assertEquals(Object.keys(fleet.ends).sort(), [
    "draft75 peer 1006",
    "draft76 peer 1005",
    "hybi-07 peer 1012",
    "hybi-08 peer 1012",
    "rfc6455 peer 1012",
  ]);
}

test("two restarts lose no message that was read, and no acknowledgement", async () => {
  const service = new Service();
  let fleet: Fleet | undefined;
  try {
    let current = await service.start(1);
    fleet = new Fleet(service.port, { clients: CLIENTS, holding: HOLDING });
    fleet.send(MESSAGES);
    for (const lot of [1, 2]) {
      await current.waitFor(/^holding$/m);
      const expected = CLIENTS * MESSAGES * lot - HOLDING * MESSAGES;
      await fleet.done(expected);
      // Nobody sends the fourth lot: the last process holds nothing.
      const next = await service.start(lot === 1 ? 2 : 4);
      fleet.send(MESSAGES);
      await fleet.done(expected + UNDER_WAY);
      await stop(current);
      current = next;
    }
    await fleet.done(CLIENTS * MESSAGES * 3);
    fleet.finish();
    await stop(current);
    await fleet.finished;
    check(service.reports(), fleet);
  } finally {
    fleet?.abort();
    await service.end();
  }
});

/** Shuts a process down. */
async function stop(child: Child): Promise<void> {
  process.kill(child.pid, "SIGTERM");
  assertEquals(await child.exited, 0, child.output);
}
