/**
 * The slots of Redis Cluster: which server has which topic.
 *
 * @module
 */

/** The number of slots. */
export const SLOT_COUNT = 16384;

const encoder = new TextEncoder();

/** Returns the slot of a key: CRC-16/XMODEM of the text between its first braces. */
export function slotOf(key: string): number {
  const start = key.indexOf("{");
  const end = start === -1 ? -1 : key.indexOf("}", start + 1);
  const tag = end > start + 1 ? key.slice(start + 1, end) : key;
  let crc = 0;
  for (const byte of encoder.encode(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
  }
  return (crc & 0xffff) % SLOT_COUNT;
}

/** A server of a cluster. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** Consecutive slots of one server. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly server: ServerAddress;
}

/** Writes an address: `"10.0.0.7:6379"`. */
export function addressText({ host, port }: ServerAddress): string {
  return `${host}:${port}`;
}

/** Parses an address, as `MOVED` and `ASK` tell it. Without a host, it is that of `asked`. */
export function parseAddress(text: string, asked: ServerAddress): ServerAddress {
  const colon = text.lastIndexOf(":");
  return { host: text.slice(0, colon) || asked.host, port: Number(text.slice(colon + 1)) };
}

/**
 * Parses the reply to CLUSTER SLOTS.
 *
 * @param reply The reply.
 * @param asked The server that was asked. It may leave out its own host.
 * @throws {Error} If the reply has another form.
 */
export function parseSlots(reply: unknown, asked: ServerAddress): SlotRange[] {
  if (!Array.isArray(reply)) throw new Error("CLUSTER SLOTS: expected a list");
  return reply.map((range) => {
    const [first, last, master] = Array.isArray(range) ? range : [];
    const [host, port] = Array.isArray(master) ? master : [];
    if (!isSlot(first) || !isSlot(last) || !Number.isInteger(port)) {
      throw new Error("CLUSTER SLOTS: expected two slots and a server in each range");
    }
    const name = host instanceof Uint8Array ? new TextDecoder().decode(host) : host;
    return { first, last, server: { host: name && name !== "?" ? name : asked.host, port } };
  });
}

function isSlot(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < SLOT_COUNT;
}
