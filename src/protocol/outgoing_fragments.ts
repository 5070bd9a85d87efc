/**
 * Writes a message as fragments (RFC 6455 §5.4).
 *
 * @module
 */
import type { Deflate } from "./deflate.ts";
import { FIN, Opcode, RSV1 } from "./frame_header.ts";
import type { MaskingKeys } from "./masking_keys.ts";
import { writeFrame, writeTextFrame } from "./outgoing_frame.ts";
import type { Output } from "./output.ts";
import type { PieceDeflater } from "./piece_inflater.ts";
import type { OutgoingPieces } from "./protocol.ts";

const encoder = new TextEncoder();
const EMPTY = new Uint8Array(0);
/**
 * The last fragment of a compressed message. The receiver appends `00 00 FF FF` to it, which makes it an
 * empty block (RFC 7692 §7.2.3.6).
 */
const EMPTY_BLOCK = Uint8Array.of(0x00);

/** Writes each piece as a fragment. The last fragment is empty: no piece is known to be the last. */
export class OutgoingFragments implements OutgoingPieces {
  /** The first byte of the next fragment. */
  #firstByte: number;
  readonly #deflater: PieceDeflater | null;
  readonly #maskingKeys: MaskingKeys | null;

  /**
   * @param opcode Text or binary.
   * @param deflate Compresses the message, whatever its size; `null` for no compression.
   * @param maskingKeys The keys of a client, `null` if frames are not masked.
   */
  constructor(opcode: number, deflate: Deflate | null, maskingKeys: MaskingKeys | null) {
    this.#firstByte = deflate === null ? opcode : opcode | RSV1;
    this.#deflater = deflate === null ? null : deflate.deflatePieces();
    this.#maskingKeys = maskingKeys;
  }

  /** See {@linkcode OutgoingPieces.write}. */
  write(output: Output, piece: string | Uint8Array): void {
    const firstByte = this.#next(0);
    if (this.#deflater !== null) {
      const bytes = typeof piece === "string" ? encoder.encode(piece) : piece;
      writeFrame(output, firstByte, this.#deflater.deflate(bytes), this.#maskingKeys);
    } else if (typeof piece === "string") {
      writeTextFrame(output, firstByte, piece, this.#maskingKeys);
    } else writeFrame(output, firstByte, piece, this.#maskingKeys);
  }

  /** See {@linkcode OutgoingPieces.finish}. */
  finish(output: Output): void {
    const payload = this.#deflater === null ? EMPTY : EMPTY_BLOCK;
    writeFrame(output, this.#next(FIN), payload, this.#maskingKeys);
    this.free();
  }

  #next(fin: number): number {
    const firstByte = this.#firstByte | fin;
    this.#firstByte = Opcode.continuation;
    return firstByte;
  }

  /** See {@linkcode OutgoingPieces.free}. */
  free(): void {
    this.#deflater?.free();
  }
}
