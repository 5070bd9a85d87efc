/**
 * Valid and invalid headers of the PROXY protocol.
 *
 * @module
 */
import { crc32c } from "../../src/handshake/crc32c.ts";

/** The type and the value of an additional field of version 2. */
export type Field = readonly [type: number, value: readonly number[]];

/** The parts of a header of version 2. */
export interface ProxyV2 {
  /** Version and command. Default: 0x21, PROXY. */
  readonly command?: number;
  /** Address family and transport protocol. Default: 0x11, TCP over IPv4. */
  readonly family?: number;
  /** The bytes of addresses and ports. Default: none. */
  readonly addresses?: readonly number[];
  /** The fields after the addresses and ports. Default: none. */
  readonly fields?: readonly Field[];
}

/** A header of version 2. */
export function proxyV2(
  { command = 0x21, family = 0x11, addresses = [], fields = [] }: ProxyV2,
): Uint8Array {
  const content = [
    ...addresses,
    ...fields.flatMap((
      [type, value],
    ) => [type, value.length >> 8, value.length & 0xff, ...value]),
  ];
  return Uint8Array.from([
    ...[0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a],
    ...[command, family, content.length >> 8, content.length & 0xff],
    ...content,
  ]);
}

/** Computes the checksum of a header with IPv4 addresses and replaces the 0 in it. */
export function withChecksum(header: Uint8Array): Uint8Array {
  const bytes = header.slice();
  for (
    let at = 28;
    at < bytes.length;
    at += 3 + (bytes[at + 1] ?? 0) * 256 + (bytes[at + 2] ?? 0)
  ) {
    if (bytes[at] === 0x03) new DataView(bytes.buffer).setUint32(at + 3, crc32c(header));
  }
  return bytes;
}
