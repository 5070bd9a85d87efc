import { sized } from "../support/sizes.ts";
import { OTHERS, REDIS } from "./conformance_setups.ts";
import { conforms } from "./conforms.ts";
import { libraryOf } from "./libraries.ts";
import { sharesOf } from "./shares.ts";

// The soak test repeats only the brokers over Redis, with the other client library.
for (const [name, make] of sized({ test: Object.entries(OTHERS), soak: [] })) {
  conforms(name, make());
}

const library = libraryOf("Pub/sub");
conforms(`Redis Pub/sub by ${library}`, REDIS["Pub/sub"]("redis-server", library));

for (const [library, choice] of sharesOf("Streams")) {
  conforms(`Redis Streams by ${library}`, REDIS.Streams("redis-server", library), choice);
}
