import { sized } from "../support/sizes.ts";
import { OTHERS, REDIS } from "./conformance_setups.ts";
import { conforms } from "./conforms.ts";
import { libraryOf } from "./libraries.ts";

// The soak test repeats only the brokers over Redis, with the other client library.
for (const [name, make] of sized({ test: Object.entries(OTHERS), soak: [] })) {
  conforms(name, make());
}

for (const name of ["Pub/sub", "Streams"] as const) {
  const library = libraryOf(name);
  conforms(`Redis ${name} by ${library}`, REDIS[name]("redis-server", library));
}
