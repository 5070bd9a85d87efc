import { REDIS } from "./conformance_setups.ts";
import { conforms } from "./conforms.ts";
import { sharesOf } from "./shares.ts";

for (const [library, choice] of sharesOf("Cluster")) {
  conforms(`Redis Cluster by ${library}`, REDIS.Cluster("redis-server", library), choice);
}
