/**
 * Measures the memory of bodies of 64 KiB that arrive in pieces of one byte. For each kind of
 * piece, it prints the growth and the number of bytes.
 */
import process from "node:process";
import { BodyReader } from "../../../src/http/body_reader.ts";
import { collectGarbage } from "../../support/collect.ts";

const SIZE = 2 ** 16;

const chunk = new TextEncoder().encode("1\r\nX\r\n");
const chunks = new Uint8Array(1000 * chunk.length);
for (let at = 0; at < chunks.length; at += chunk.length) chunks.set(chunk, at);

/** Readers that have received nearly 64 KiB. */
const kinds: Readonly<Record<string, () => BodyReader>> = {
  "chunks": () => feed(chunkedBody(), [chunks], 65),
  "chunks, byte by byte": () => {
    return feed(chunkedBody(), Array.from(chunk, (byte) => Uint8Array.of(byte)), 65_000);
  },
  "segments": () => {
    const get = (name: string) => name === "content-length" ? `${SIZE}` : undefined;
    return feed(
      new BodyReader({ httpVersion: "1.1", get }, SIZE),
      [chunk.subarray(3, 4)],
      SIZE - 1,
    );
  },
};

function chunkedBody(): BodyReader {
  const get = (name: string) => name === "transfer-encoding" ? "chunked" : undefined;
  return new BodyReader({ httpVersion: "1.1", get }, SIZE);
}

function feed(reader: BodyReader, pieces: readonly Uint8Array[], times: number): BodyReader {
  for (let i = 0; i < times; i++) for (const piece of pieces) reader.read(piece.slice());
  return reader;
}

/** Returns the used memory after a garbage collection, inside and outside the heap, in bytes. */
function usedMemory(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

for (const [kind, arrive] of Object.entries(kinds)) {
  const before = usedMemory();
  const body = arrive();
  const grown = Math.round((usedMemory() - before) / 1024);
  console.log(`${kind}: ${grown} KiB for ${body.bytes.length} bytes`);
}
