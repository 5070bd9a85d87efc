import { sized } from "../support/sizes.ts";
import { REDIS } from "./conformance_setups.ts";
import { type Choice, conforms } from "./conforms.ts";
import { libraryOf } from "./libraries.ts";
import { sharesOf } from "./shares.ts";

/** What shows that the commands of a broker work. The soak test runs all cases. */
const FEW: ReadonlySet<string> = new Set([
  "a message arrives once at each process that subscribes",
  "nothing arrives after unsubscribe",
  "applications: a client that returns gets what it missed, from any process",
  "applications: presence is told once, and listed by all processes",
]);

for (const name of ["Pub/sub", "Streams"] as const) {
  const library = libraryOf(name);
  conforms(
    `Valkey ${name} by ${library}`,
    REDIS[name]("valkey-server", library),
    sized<Choice>({ test: ({ name }) => FEW.has(name), soak: () => true }),
  );
}

for (const [library, choice] of sharesOf("Cluster")) {
  conforms(`Valkey Cluster by ${library}`, REDIS.Cluster("valkey-server", library), choice);
}
