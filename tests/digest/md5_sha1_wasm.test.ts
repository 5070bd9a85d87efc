import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { DIGEST_WASM } from "../../src/digest/md5_sha1_wasm.ts";
import { compile, DIGEST, embed, embeddedFile } from "../support/build_wasm.ts";

const embedded = Uint8Array.from(Buffer.from(DIGEST_WASM, "base64"));

describe("the embedded WebAssembly", () => {
  test("is what the AssemblyScript source compiles to", async () => {
    const compiled = await compile(DIGEST);
    assertEquals(Buffer.from(embedded).toString("hex"), Buffer.from(compiled).toString("hex"));
  });

  test("is in a module as build:wasm writes it", () => {
    assertEquals(readFileSync(embeddedFile(DIGEST), "utf8"), embed(DIGEST, embedded));
  });

  test("has less than 4 KiB", () => assertLess(embedded.length, 4096));

  test("imports nothing", () => {
    assertEquals(WebAssembly.Module.imports(new WebAssembly.Module(embedded)), []);
  });

  test("has one page of memory, which cannot grow", () => {
    const { memory } = new WebAssembly.Instance(new WebAssembly.Module(embedded)).exports;
    assert(memory instanceof WebAssembly.Memory);
    assertEquals(memory.buffer.byteLength, 65536);
    assertThrows(() => memory.grow(1), RangeError);
  });
});
