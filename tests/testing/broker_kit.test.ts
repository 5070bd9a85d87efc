import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { before, describe, test } from "node:test";
import { brokerConformance, type BrokerSetup } from "../../src/testing/broker_kit.ts";
import { type Fault, faults } from "./broken_brokers.ts";
import { MemoryServer } from "./memory_broker.ts";

/** The setup of a server in memory. */
function setupOf(server: MemoryServer, timeout: number): BrokerSetup {
  return {
    connect: ({ limits }) => server.connect(limits),
    history: true,
    presence: true,
    stop: () => server.stop(),
    start: () => server.start(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    loseData: () => server.loseData(),
    timeout,
  };
}

const correct = brokerConformance(setupOf(new MemoryServer(), 60_000));

/** How long a case waits for what a broker with a fault does not do, in milliseconds. */
const FOUND = 3000;

/**
 * Runs the case that must find a fault. Returns its error; nothing if it passes. On a machine that is
 * too busy, a case of a `ttl` has seen nothing, and so it runs again.
 */
async function errorOf({ foundBy, make }: Fault): Promise<unknown> {
  for (let attempt = 0; attempt < 10; attempt++) {
    const found = brokerConformance(setupOf(make(), FOUND)).find(({ name }) => name === foundBy);
    assert(found !== undefined, `There is no case ${foundBy}`);
    const error = await found.run().then(() => undefined, (error) => error);
    if (error !== undefined) return error;
  }
  return undefined;
}

/** The errors of all faults. Most cases wait, so they run at once, each with a server of its own. */
let errors: ReadonlyMap<Fault, Promise<unknown>> | undefined;

function beginFaults(): ReadonlyMap<Fault, Promise<unknown>> {
  return errors ??= new Map(faults.map((fault) => [fault, errorOf(fault)]));
}

describe("a correct broker passes each case:", () => {
  before(() => void beginFaults());
  for (const { name, skip, run } of correct) {
    test(name, async () => {
      assertEquals(skip, undefined);
      await run();
    });
  }
});

describe("the kit finds a broker that", () => {
  for (const fault of faults) {
    test(`${fault.name}, by "${fault.foundBy}"`, async () => {
      const error = await beginFaults().get(fault);
      assertInstanceOf(error, Error, "The case has passed");
      assertMatch(error.message, fault.says);
    });
  }

  test("fails any of its cases: for each there is such a broker", () => {
    const found = new Set(faults.map(({ foundBy }) => foundBy));
    const others = correct.map(({ name }) => name).filter((name) => !found.has(name));
    assertEquals(others.filter((name) => !name.startsWith("applications: ")), []);
  });
});

describe("the cases of the kit", () => {
  test("have names of their own", () => {
    const names = correct.map(({ name }) => name);
    assertEquals(names.length, new Set(names).size);
  });

  test("that do not apply have the reason, and do not run", async () => {
    const { connect } = setupOf(new MemoryServer(), 1000);
    const cases = brokerConformance({ connect, sharesTopics: true });
    const reasons = new Set(cases.flatMap(({ skip }) => skip ?? []));
    assertEquals([...reasons].sort(), [
      "a process receives the messages of all topics",
      "the broker has no history",
      "the broker has no presence",
      "the setup has no pause and resume",
      "the setup has no stop and start",
    ]);
    const [skipped] = cases.filter(({ skip }) => skip !== undefined);
    assertNotEquals(skipped, undefined);
    await assertRejects(() => skipped!.run(), Error, skipped!.skip);
  });

  test("start the server again and close all brokers, also after a failure", async () => {
    const fault = faults.find(({ name }) => name === "does not come back");
    assertNotEquals(fault, undefined);
    const server = fault!.make();
    const running = brokerConformance(setupOf(server, 100));
    await assertRejects(() => running.find(({ name }) => name === fault!.foundBy)!.run());
    assertEquals([server.running, server.brokers.size], [true, 0]);
  });
});
