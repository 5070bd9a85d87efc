/**
 * IP addresses as text.
 *
 * @module
 */

/** Four decimal numbers up to 255. Leading zeros are refused: some programs read them as octal. */
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
/** The characters of an IPv6 address. `URL` checks the grammar. */
const IPV6_CHARACTERS = /^[0-9a-f:.]*:[0-9a-f:.]*$/i;
/** An IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2), as `URL` writes it. */
const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/**
 * Returns the canonical text of an IP address: IPv6 as in RFC 5952, and an IPv4-mapped address as IPv4.
 * All texts of one address have the same canonical text.
 *
 * @returns `undefined` if the text is not an IP address.
 */
export function canonicalAddress(text: string): string | undefined {
  if (IPV4.test(text)) return text;
  if (!IPV6_CHARACTERS.test(text) || !URL.canParse(`http://[${text}]/`)) return undefined;
  const address = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const [, high, low] = MAPPED.exec(address) ?? [];
  if (high === undefined || low === undefined) return address;
  const bytes = [high, low].flatMap((group) => {
    const value = parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
  return bytes.join(".");
}
