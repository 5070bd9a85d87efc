/**
 * What a request head must be beyond the bytes of its lines.
 *
 * @module
 */
import { HttpError } from "../errors.ts";
import type { RequestHead } from "./request_head.ts";
import { brokenRule, type Rule } from "./rules.ts";

/** What the rules are about. */
interface HeadFacts {
  readonly httpVersion: string;
  readonly target: string;
  /** The authority of a target in absolute form. */
  readonly authority: string | undefined;
  /** The `Host` field; of several, all of them in a list. */
  readonly host: string | undefined;
}

const RULES: readonly Rule<HeadFacts>[] = [
  {
    section: "RFC 9112 §3.2",
    because: "the request-target must be a path or an http or https URL",
    broken: ({ target }) => !target.startsWith("/") && !/^https?:\/\//i.test(target),
  },
  {
    section: "RFC 9112 §3.2",
    because: "an HTTP/1.1 request must have a Host",
    broken: ({ host, httpVersion }) => host === undefined && httpVersion === "1.1",
  },
  {
    section: "RFC 9112 §3.2",
    because: "Host must be sent once, a host and at most a port",
    broken: ({ host }) => host !== undefined && !isHost(host),
  },
  {
    section: "RFC 9110 §4.2",
    because: "the request-target's authority must be a host and at most a port",
    broken: ({ authority }) => authority !== undefined && !isHost(authority),
  },
];

/** A registered name, IPv4 address or bracketed IPv6 address, and a port (RFC 3986 §3.2). */
const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|[\w.~!$&'()*+,;=%-]+)(?::[0-9]*)?$/;

/** The host that was checked last: nearly every request asks for the same. */
let knownHost = "localhost";

/** Whether a URL can be made of it, which `HOST` alone does not say (`256.1.1.1`, `a:70000`). */
function isHost(text: string): boolean {
  if (text === knownHost) return true;
  if (!HOST.test(text) || !URL.canParse(`http://${text}/`)) return false;
  knownHost = text;
  return true;
}

/** Refuses a head that breaks a rule. @throws {HttpError} 400, with the rule. */
export function checkHead(head: RequestHead): void {
  const { httpVersion, target } = head;
  const broken = brokenRule(RULES, {
    httpVersion,
    target,
    authority: target.startsWith("/") ? undefined : head.host,
    host: head.get("host"),
  });
  if (broken !== undefined) throw new HttpError(400, broken);
}
