import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { ProtocolError } from "../../src/errors.ts";
import { IncomingMessage } from "../../src/protocol/incoming_message.ts";
import { checkMessageLimits } from "../../src/protocol/message_limits.ts";

const TEXT = 0x81;
const COMPRESSED = 0xc1;
const SIZE = "maxMessageSize (2048 bytes)";
const FRAGMENTS = "maxFragments (3 frames)";
const FRAGMENT_SIZE = "maxFragmentSize (100 bytes)";

interface Row {
  /** The first byte of the header. */
  readonly first: number;
  readonly payloadLength: number;
  /** The message that the frame continues. */
  readonly message?: {
    readonly size: number;
    readonly frames: number;
    readonly isCompressed: boolean;
  };
  /** The limit that is exceeded. */
  readonly exceeded?: string;
}

/** The message so far: its size, its frames, and whether it is compressed. */
function message(size: number, frames: number, isCompressed = false): Required<Row>["message"] {
  return { size, frames, isCompressed };
}

const LIMITS = { maxMessageSize: 2048, maxFragments: 3 };

const rows: readonly Row[] = [
  { first: TEXT, payloadLength: 2048 },
  { first: TEXT, payloadLength: 2049, exceeded: SIZE },
  // Compression may add 1 byte for each 1024, and 64.
  { first: COMPRESSED, payloadLength: 2114 },
  { first: COMPRESSED, payloadLength: 2115, exceeded: SIZE },
  { first: 0x80, payloadLength: 48, message: message(2000, 2) },
  { first: 0x80, payloadLength: 49, message: message(2000, 2), exceeded: SIZE },
  { first: 0x80, payloadLength: 114, message: message(2000, 2, true) },
  { first: 0x80, payloadLength: 115, message: message(2000, 2, true), exceeded: SIZE },
  { first: 0x00, payloadLength: 1, message: message(0, 2) },
  { first: 0x00, payloadLength: 1, message: message(0, 3), exceeded: FRAGMENTS },
  { first: 0x80, payloadLength: 0, message: message(0, 3), exceeded: FRAGMENTS },
];

const fragmentRows: readonly Row[] = [
  { first: TEXT, payloadLength: 100 },
  { first: TEXT, payloadLength: 101, exceeded: FRAGMENT_SIZE },
  { first: 0x80, payloadLength: 100, message: message(500, 1) },
  { first: 0x80, payloadLength: 101, message: message(500, 1), exceeded: FRAGMENT_SIZE },
];

function check(row: Row, limits: Parameters<typeof checkMessageLimits>[3]): void {
  const { first, payloadLength, exceeded } = row;
  let begun: IncomingMessage | null = null;
  if (row.message !== undefined) {
    begun = new IncomingMessage(1, row.message.isCompressed);
    begun.size = row.message.size;
    begun.frames = row.message.frames;
  }
  let error: unknown;
  try {
    checkMessageLimits(begun, first, payloadLength, limits);
  } catch (thrown) {
    error = thrown;
  }
  if (exceeded === undefined) {
    assertEquals(error, undefined);
    return;
  }
  const subject = exceeded === FRAGMENT_SIZE ? "frame" : "message";
  const because = `a ${subject} must not exceed ${exceeded} (RFC 6455 §7.4.1)`;
  assertEquals(error instanceof ProtocolError && [error.code, error.message], [1009, because]);
}

describe("the limits of a message", () => {
  for (const row of rows) {
    test(JSON.stringify(row), () => check(row, LIMITS));
  }

  for (const [maxMessageSize, most] of [[1023, 1087], [1024, 1089]] as const) {
    test(`allow ${most} compressed bytes for maxMessageSize ${maxMessageSize}`, () => {
      const limits = { ...LIMITS, maxMessageSize };
      checkMessageLimits(null, COMPRESSED, most, limits);
      assertThrows(() => checkMessageLimits(null, COMPRESSED, most + 1, limits), ProtocolError);
    });
  }

  for (const row of fragmentRows) {
    test(JSON.stringify(row), () => check(row, { ...LIMITS, maxFragmentSize: 100 }));
  }
});
