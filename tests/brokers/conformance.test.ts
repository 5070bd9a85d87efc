import { sized } from "../support/sizes.ts";
import { libraryOf, OTHERS, REDIS } from "./conformance_setups.ts";
import { conforms } from "./conforms.ts";

// The soak test repeats only the brokers over Redis, with the other client library.
for (const [name, make] of sized({ test: Object.entries(OTHERS), soak: [] })) {
  conforms(name, make());
}

for (const name of ["Pub/sub", "Streams"]) {
  const library = libraryOf(name);
  conforms(`Redis ${name} by ${library}`, REDIS[name]!("redis-server", library));
}
