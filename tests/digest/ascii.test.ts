import process from "node:process";
import { describe, test } from "node:test";
import { assertEquals } from "@std/assert";
import { asciiDecoder } from "../../src/digest/ascii.ts";

const text = String.fromCharCode(...Array.from({ length: 128 }, (_, code) => code));
const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));

describe("asciiDecoder", () => {
  const scopes = [
    ["this runtime's", { process }],
    ["no process", {}],
    ["a process without built-in modules", { process: {} }],
    ["a process without this module", { process: { getBuiltinModule: () => undefined } }],
    [
      "a Buffer without latin1Slice",
      { process: { getBuiltinModule: () => ({ Buffer: { prototype: {} } }) } },
    ],
  ] as const;
  for (const [name, scope] of scopes) {
    test(name, () => {
      const decode = asciiDecoder(scope);
      assertEquals(decode(bytes), text);
      assertEquals(decode(bytes.subarray(65, 70)), "ABCDE");
      assertEquals(decode(bytes.subarray(0, 0)), "");
    });
  }
});
