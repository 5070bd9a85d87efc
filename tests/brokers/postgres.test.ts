import { sized } from "../support/sizes.ts";
import { conforms } from "./conforms.ts";
import { postgresSetup } from "./postgres_setup.ts";
import { others, shared } from "./shares.ts";

conforms(
  "The example of a broker over Postgres",
  postgresSetup,
  sized({ test: shared, soak: others }),
);
