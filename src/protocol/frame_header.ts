/**
 * The header of a frame (RFC 6455 §5.2): what its bytes say, and the rules that they obey.
 *
 * @module
 */
import { ProtocolError } from "../errors.ts";

/** The opcodes (RFC 6455 §11.8). Those from 8 on are control frames. */
export const Opcode = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

/** The bit of the first byte that marks a message's last frame. */
export const FIN = 0x80;
/** The reserved bit that marks a compressed message in its first frame (RFC 7692 §6). */
export const RSV1 = 0x40;
/** The bit of the first byte that control frames have. */
export const CONTROL = 0x08;
/** The bit of the second byte that marks a masked payload. */
export const MASK = 0x80;
/** The most bytes of a header. */
export const MAX_HEADER_SIZE = 14;
/** The most bytes of a control frame's payload. */
export const MAX_CONTROL_SIZE = 125;
/** Lengths up to here are in the second byte. */
const MAX_SHORT = 125;

/** Which end of the connection this is. */
export type Role = "client" | "server";

/** What is known when the first byte of a frame is there. */
interface FirstByte {
  readonly fin: boolean;
  readonly reserved: number;
  readonly opcode: number;
  /** Whether a fragmented message has begun and not ended. */
  readonly continuing: boolean;
}

/** What is known when the second byte is there too. */
interface SecondByte {
  readonly control: boolean;
  readonly masked: boolean;
  /** The length, or 126 or 127 where it follows. */
  readonly length: number;
  readonly role: Role;
  /** Whether the version is 7 or 8: see {@linkcode FrameRules.isOld}. */
  readonly isOld: boolean;
}

/** A rule of the framing. */
interface Rule<Known> {
  /** The section of RFC 6455 that makes it. */
  readonly section: string;
  /** What it asks for. */
  readonly because: string;
  /** Whether a frame of which this is known breaks it. */
  broken(known: Known): boolean;
}

const isControl = (opcode: number): boolean => (opcode & CONTROL) !== 0;
const isDefined = (opcode: number): boolean => (Object.values(Opcode) as number[]).includes(opcode);
const isData = (opcode: number): boolean => opcode === Opcode.text || opcode === Opcode.binary;

/** The rules of the first byte, in the order in which they are told. */
const FIRST_BYTE_RULES: readonly Rule<FirstByte>[] = [
  {
    section: "5.2",
    because: "reserved bits must be 0 unless an extension defines them",
    broken: ({ reserved }) => reserved !== 0,
  },
  {
    section: "5.2",
    because: "opcodes 3 to 7 and 11 to 15 are reserved",
    broken: ({ opcode }) => !isDefined(opcode),
  },
  {
    section: "5.5",
    because: "control frames must not be fragmented",
    broken: ({ opcode, fin }) => isControl(opcode) && !fin,
  },
  {
    section: "5.4",
    because: "a continuation frame must follow a frame of its message",
    broken: ({ opcode, continuing }) => opcode === Opcode.continuation && !continuing,
  },
  {
    section: "5.4",
    because: "a message must not begin inside of a fragmented one",
    broken: ({ opcode, continuing }) => isData(opcode) && continuing,
  },
];

const SHORT_CONTROL = "control frames must have a payload of 125 bytes at most";

/** The rules of the second byte. */
const SECOND_BYTE_RULES: readonly Rule<SecondByte>[] = [
  {
    section: "5.1",
    because: "frames from a client must be masked",
    broken: ({ role, masked }) => role === "server" && !masked,
  },
  {
    section: "5.1",
    because: "frames from a server must not be masked",
    broken: ({ role, masked }) => role === "client" && masked,
  },
  {
    section: "5.5",
    because: SHORT_CONTROL,
    broken: ({ control, length, isOld }) => control && length > MAX_CONTROL_SIZE && !isOld,
  },
];

/** What is known when a length that follows the second byte is there. */
interface ExtendedLength {
  readonly control: boolean;
  /** How many bytes it takes, and the first of them. */
  readonly size: number;
  readonly first: number;
  readonly length: number;
  /** Whether the version is 7 or 8: see {@linkcode FrameRules.isOld}. */
  readonly isOld: boolean;
}

/** The rules of a length that follows the second byte. */
const LENGTH_RULES: readonly Rule<ExtendedLength>[] = [
  {
    section: "5.2",
    because: "the most significant bit of a length must be 0",
    broken: ({ size, first }) => size === 8 && first >= 0x80,
  },
  {
    section: "5.2",
    because: "lengths must be in the fewest bytes",
    broken: ({ size, length, isOld }) => !isOld && length <= (size === 2 ? MAX_SHORT : 0xffff),
  },
  {
    section: "5.5",
    because: SHORT_CONTROL,
    broken: ({ control, length }) => control && length > MAX_CONTROL_SIZE,
  },
];

function say({ because, section }: Rule<never>): string {
  return `${because} (RFC 6455 §${section})`;
}

/** What each of the 256 values of a byte breaks, so that a look-up is all that a frame costs. */
function verdicts<Known>(
  rules: readonly Rule<Known>[],
  known: (byte: number) => Known,
): Verdicts {
  return Array.from({ length: 256 }, (_, byte) => {
    const broken = rules.find((rule) => rule.broken(known(byte)));
    return broken && say(broken);
  });
}

function firstBytes(continuing: boolean): Verdicts {
  return verdicts(FIRST_BYTE_RULES, (byte) => ({
    fin: (byte & FIN) !== 0,
    reserved: byte & 0x70,
    opcode: byte & 0x0f,
    continuing,
  }));
}

type Verdicts = readonly (string | undefined)[];

/** What one end of a connection asks of the frames that it receives. */
export interface FrameRules {
  /** Whether this is the server's end. */
  readonly isServer: boolean;
  /**
   * Whether the version is 7 or 8. A length may then be in more bytes than it needs: the rule against
   * it came with hybi-14.
   */
  readonly isOld: boolean;
  /** What each second byte breaks, in data frames and in control frames. */
  readonly data: Verdicts;
  readonly control: Verdicts;
}

function rulesOf(role: Role, isOld: boolean): FrameRules {
  const secondBytes = (control: boolean) =>
    verdicts(SECOND_BYTE_RULES, (byte) => ({
      control,
      masked: (byte & MASK) !== 0,
      length: byte & 0x7f,
      role,
      isOld,
    }));
  const isServer = role === "server";
  return { isServer, isOld, data: secondBytes(false), control: secondBytes(true) };
}

const OUTSIDE = firstBytes(false);
const INSIDE = firstBytes(true);
const RULES: Readonly<Record<Role, FrameRules>> = {
  client: rulesOf("client", false),
  server: rulesOf("server", false),
};
const OLD_RULES: Readonly<Record<Role, FrameRules>> = {
  client: rulesOf("client", true),
  server: rulesOf("server", true),
};

/**
 * The rules for what one end receives.
 *
 * @param role Which end.
 * @param isOld Whether the version is 7 or 8.
 */
export function frameRules(role: Role, isOld: boolean): FrameRules {
  return (isOld ? OLD_RULES : RULES)[role];
}

/**
 * Checks the first byte of a frame.
 *
 * @param first The byte, without the reserved bits that an extension gives a meaning to here.
 * @param continuing Whether a fragmented message has begun and not ended.
 * @throws {ProtocolError} 1002.
 */
export function checkFirstByte(first: number, continuing: boolean): void {
  const broken = (continuing ? INSIDE : OUTSIDE)[first];
  if (broken !== undefined) throw new ProtocolError(1002, broken);
}

/**
 * Checks the second byte of a frame.
 *
 * @throws {ProtocolError} 1002.
 */
export function checkSecondByte(first: number, second: number, rules: FrameRules): void {
  const broken = (first & CONTROL ? rules.control : rules.data)[second];
  if (broken !== undefined) throw new ProtocolError(1002, broken);
}

/** How many bytes the length takes behind the second byte of a frame. */
export function sizeOfLength(second: number): number {
  const length = second & 0x7f;
  return length <= MAX_SHORT ? 0 : length === 126 ? 2 : 8;
}

/**
 * Reads and checks the length behind the second byte of a frame, at `at`.
 *
 * @returns The length in bytes; beyond 2^53 not exact.
 * @throws {ProtocolError} 1002.
 */
export function readLength(bytes: Uint8Array, at: number, rules: FrameRules): number {
  // There, like the others: the caller has looked.
  const control = ((bytes[at - 2] as number) & CONTROL) !== 0;
  const size = sizeOfLength(bytes[at - 1] as number);
  const first = bytes[at] as number;
  let length = first;
  for (let i = 1; i < size; i++) length = length * 256 + (bytes[at + i] as number);
  const { isOld } = rules;
  const broken = LENGTH_RULES.find((rule) => rule.broken({ control, size, first, length, isOld }));
  if (broken !== undefined) throw new ProtocolError(1002, say(broken));
  return length;
}

/** The masking key at `at`; see `mask.ts` for its form. */
export function readMaskingKey(bytes: Uint8Array, at: number): number {
  // All there: the caller has looked.
  return (bytes[at] as number) | (bytes[at + 1] as number) << 8 |
    (bytes[at + 2] as number) << 16 | (bytes[at + 3] as number) << 24;
}

/** How many bytes a header without a masking key takes. */
export function sizeOfHeader(payloadLength: number): number {
  return payloadLength <= MAX_SHORT ? 2 : payloadLength <= 0xffff ? 4 : 10;
}

/**
 * Writes a header, its length in the fewest bytes, without the masking key.
 *
 * @param mask {@linkcode MASK} if a masking key follows, else 0.
 * @returns Where it ends.
 */
export function writeHeader(
  bytes: Uint8Array,
  at: number,
  first: number,
  mask: number,
  payloadLength: number,
): number {
  bytes[at] = first;
  if (payloadLength <= MAX_SHORT) {
    bytes[at + 1] = mask | payloadLength;
    return at + 2;
  }
  const size = sizeOfHeader(payloadLength);
  bytes[at + 1] = mask | (size === 4 ? 126 : 127);
  for (let i = at + size - 1, rest = payloadLength; i > at + 1; i--) {
    bytes[i] = rest; // its low byte
    rest = Math.floor(rest / 256);
  }
  return at + size;
}
