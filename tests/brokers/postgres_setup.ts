/**
 * The setup of the example of a broker over Postgres.
 *
 * @module
 */
import { postgresBroker } from "../../examples/postgres.ts";
import { served, type ServedSetup } from "./conformance_setups.ts";
import { PostgresServer } from "./postgres_server.ts";

/** A new database for all cases. */
export const postgresSetup: ServedSetup = served(
  () => PostgresServer.make(),
  (port, { limits }) =>
    postgresBroker(`postgres://test@127.0.0.1:${port}/postgres`, limits.maxBufferedAmount),
);
