import { after, before, describe, test } from "node:test";
import { postgresBroker } from "../../examples/postgres.ts";
import { brokerConformance } from "../../src/testing/broker_kit.ts";
import { served } from "./conformance_setups.ts";
import { PostgresServer } from "./postgres_server.ts";

describe("the example of a broker over Postgres conforms:", () => {
  const setup = served(
    () => PostgresServer.make(),
    (port, { limits }) =>
      postgresBroker(`postgres://test@127.0.0.1:${port}/postgres`, limits.maxBufferedAmount),
  );
  before(() => setup.begin());
  after(() => setup.end());
  // The kit tells why the others do not apply.
  for (const { name, run } of brokerConformance(setup).filter(({ skip }) => skip === undefined)) {
    test(name, run);
  }
});
