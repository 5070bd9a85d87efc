import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { assertEquals } from "@std/assert";
import { MASK_WASM } from "../../src/protocol/xor_mask_wasm.ts";
import { compile, embed, embeddedFile, MASK } from "../support/build_wasm.ts";

const embedded = Uint8Array.from(Buffer.from(MASK_WASM, "base64"));

describe("the embedded WebAssembly", () => {
  test("is what the AssemblyScript source compiles to", async () => {
    const compiled = await compile(MASK);
    assertEquals(Buffer.from(embedded).toString("hex"), Buffer.from(compiled).toString("hex"));
  });

  test("is in a module as build:wasm writes it", () => {
    assertEquals(readFileSync(embeddedFile(MASK), "utf8"), embed(MASK, embedded));
  });

  test("imports nothing", () => {
    assertEquals(WebAssembly.Module.imports(new WebAssembly.Module(embedded)), []);
  });
});
