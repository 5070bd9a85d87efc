import { REDIS } from "./conformance_setups.ts";
import { conforms } from "./conforms.ts";
import { libraryOf } from "./libraries.ts";

const library = libraryOf("Cluster");
conforms(`Redis Cluster by ${library}`, REDIS.Cluster("redis-server", library));
