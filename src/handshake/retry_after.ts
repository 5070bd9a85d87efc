/**
 * The field `Retry-After` (RFC 9110 §10.2.3).
 *
 * @module
 */

const SECONDS = /^\d+$/;
/** All three date formats begin with a day of the week (RFC 9110 §5.6.7). `Date` accepts others too. */
const DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/;

/**
 * Returns how long to wait before the next request.
 *
 * @param headers The fields of the response. A date in `Retry-After` is compared with the field `Date`,
 * so the clock of the client does not matter.
 * @param now The time of the client, in milliseconds since 1970, for a response without `Date`.
 * @returns The time in milliseconds; 0 for a date in the past; `undefined` if the field is missing or
 * malformed.
 */
export function retryAfter(headers: Headers, now: number): number | undefined {
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  if (SECONDS.test(value)) return Number(value) * 1000;
  const date = parseDate(value);
  if (date === undefined) return undefined;
  return Math.max(0, date - (parseDate(headers.get("date")) ?? now));
}

function parseDate(text: string | null): number | undefined {
  if (text === null || !DATE.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}
