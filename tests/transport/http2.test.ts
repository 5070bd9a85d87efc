import { conformance } from "./conformance.ts";
import { http2Link } from "./http2_link.ts";

conformance("a stream of an HTTP/2 server", () => http2Link("server"));
conformance("a stream of an HTTP/2 client", () => http2Link("client"));
