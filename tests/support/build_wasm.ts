/**
 * Compiles the digests to WebAssembly and embeds the bytes in `src/digest/digest_wasm.ts`
 * (`deno task build:wasm`; Bun and Node run it as well).
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { readFile, writeFile } from "node:fs/promises";
import asc from "assemblyscript/asc";

const source = new URL("../../src/digest/assembly/digest.ts", import.meta.url);
const embedded = new URL("../../src/digest/digest_wasm.ts", import.meta.url);

// Without its runtime AssemblyScript needs no imports; without a shrink level the code does not stay
// below 4 KiB.
const options = [
  ...["--optimizeLevel", "3", "--shrinkLevel", "1", "--enable", "simd"],
  ...["--runtime", "stub", "--use", "abort=", "--initialMemory", "1", "--maximumMemory", "1"],
];

/** Compiles the AssemblyScript source of the digests, wherever the process was started. */
export async function compileDigests(): Promise<Uint8Array> {
  const text = await readFile(source, "utf8");
  let compiled: unknown;
  const { error, stderr } = await asc.main(["digest.ts", ...options, "--outFile", "digest.wasm"], {
    readFile: (name) => name === "digest.ts" ? text : null,
    writeFile: (_name, contents) => {
      compiled = contents;
    },
    listFiles: () => [],
  });
  if (error !== null || !(compiled instanceof Uint8Array)) {
    throw new Error(`Cannot compile ${source.pathname}: ${error?.message}\n${stderr}`);
  }
  return compiled;
}

/** The text of the generated module. */
export function embed(wasm: Uint8Array): string {
  const lines = Buffer.from(wasm).toString("base64").match(/.{1,96}/g) ?? [];
  return `// Generated from assembly/digest.ts by \`deno task build:wasm\`: do not edit.

/** The digests in WebAssembly, as base64 with line breaks, which \`atob\` skips. */
export const DIGEST_WASM: string = \`
${lines.join("\n")}
\`;
`;
}

if (import.meta.main) {
  const wasm = await compileDigests();
  await writeFile(embedded, embed(wasm));
  console.log(`${embedded.pathname}: ${wasm.length} bytes of WebAssembly`);
}
