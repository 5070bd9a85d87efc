import { conforms } from "./conforms.ts";
import { postgresSetup } from "./postgres_setup.ts";

conforms("The example of a broker over Postgres", postgresSetup);
