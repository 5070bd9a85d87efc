import { runtime } from "../support/runtime.ts";
import { sized } from "../support/sizes.ts";
import { REDIS } from "./conformance_setups.ts";
import { conforms } from "./conforms.ts";
import { libraryOf } from "./libraries.ts";

/** What shows that the commands of a broker work. The soak test runs all cases. */
const FEW: ReadonlySet<string> = new Set([
  "a message arrives once at each process that subscribes",
  "nothing arrives after unsubscribe",
  "applications: a client that returns gets what it missed, from any process",
  "applications: presence is told once, and listed by all processes",
]);

for (const name of ["Pub/sub", "Streams", "Cluster"] as const) {
  const library = libraryOf(name);
  const isWhole = sized({ test: name === "Cluster" && runtime === "node", soak: true });
  conforms(
    `Valkey ${name} by ${library}`,
    REDIS[name]("valkey-server", library),
    isWhole ? () => true : ({ name }) => FEW.has(name),
  );
}
