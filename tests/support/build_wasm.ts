/**
 * Compiles AssemblyScript to WebAssembly and embeds the bytes in modules of src
 * (`deno task build:wasm`). Also runs on Bun and Node.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { readFile, writeFile } from "node:fs/promises";
import asc from "assemblyscript/asc";

/** A source in AssemblyScript, `assembly/NAME.ts`, and the module beside it that embeds its bytes. */
export interface WasmModule {
  /** The name of the source. */
  readonly name: string;
  /** The folder of src that uses it. */
  readonly folder: string;
  /** The constant that holds the bytes, and what they are. */
  readonly constant: string;
  readonly what: string;
  /** How many pages of memory it has. */
  readonly pages: number;
}

/** The digests of the opening handshakes. */
export const DIGEST: WasmModule = {
  name: "md5_sha1",
  folder: "digest",
  constant: "DIGEST_WASM",
  what: "digests",
  pages: 1,
};

/** The masking of payloads. */
export const MASK: WasmModule = {
  name: "xor_mask",
  folder: "protocol",
  constant: "MASK_WASM",
  what: "masking",
  pages: 2,
};

function fileOf({ folder }: WasmModule, path: string): URL {
  return new URL(`../../src/${folder}/${path}`, import.meta.url);
}

/** The module that embeds the bytes. */
export function embeddedFile(module: WasmModule): URL {
  return fileOf(module, `${module.name}_wasm.ts`);
}

// Without its runtime, AssemblyScript needs no imports. The shrink level keeps the digests below 4 KiB.
const options = [
  ...["--optimizeLevel", "3", "--shrinkLevel", "1", "--enable", "simd"],
  ...["--runtime", "stub", "--use", "abort="],
];

/** Compiles a source. Works from any current directory. */
export async function compile(module: WasmModule): Promise<Uint8Array> {
  const source = fileOf(module, `assembly/${module.name}.ts`);
  const input = `${module.name}.ts`;
  const memory = ["--initialMemory", `${module.pages}`, "--maximumMemory", `${module.pages}`];
  const text = await readFile(source, "utf8");
  let compiled: unknown;
  const { error, stderr } = await asc.main(
    [input, ...options, ...memory, "--outFile", "out.wasm"],
    {
      readFile: (name) => name === input ? text : null,
      writeFile: (_name, contents) => {
        compiled = contents;
      },
      listFiles: () => [],
    },
  );
  if (error !== null || !(compiled instanceof Uint8Array)) {
    throw new Error(`Cannot compile ${source.pathname}: ${error?.message}\n${stderr}`);
  }
  return compiled;
}

/** The text of the generated module. */
export function embed({ name, constant, what }: WasmModule, wasm: Uint8Array): string {
  const lines = Buffer.from(wasm).toString("base64").match(/.{1,96}/g) ?? [];
  return `// Generated from assembly/${name}.ts by \`deno task build:wasm\`: do not edit.

/** The ${what} in WebAssembly, as base64 with line breaks, which \`atob\` skips. */
export const ${constant}: string = \`
${lines.join("\n")}
\`;
`;
}

if (import.meta.main) {
  for (const module of [DIGEST, MASK]) {
    const wasm = await compile(module);
    const file = embeddedFile(module);
    await writeFile(file, embed(module, wasm));
    console.log(`${file.pathname}: ${wasm.length} bytes of WebAssembly`);
  }
}
