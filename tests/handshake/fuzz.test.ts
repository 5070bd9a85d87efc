import { assert } from "@std/assert";
import { describe, test } from "node:test";
import { below, tryBytes, tryChangedRequest } from "./changed_requests.ts";
import { tryExtensions } from "./extension_values.ts";
import { random } from "./support.ts";

// `task fuzz` tries more.
describe("whatever comes", () => {
  test("random bytes are refused", () => {
    const next = random(2010);
    for (let i = 0; i < 300; i++) {
      const bytes = Uint8Array.from({ length: below(next, 100) }, () => below(next, 256));
      const outcome = tryBytes(next, bytes, `number ${i}`);
      assert(outcome === "400" || (outcome === "incomplete" && bytes.length < 20), outcome);
    }
  });

  test("good requests with errors are read or refused, the same in any pieces", () => {
    const next = random(6455);
    const seen = new Map<string, number>();
    for (let i = 0; i < 700; i++) {
      const outcome = tryChangedRequest(next, i);
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
    }
    // Checks that the random changes produce both valid and invalid requests often enough.
    for (const outcome of ["head", "400", "431", "505", "incomplete"]) {
      assert((seen.get(outcome) ?? 0) > 0, `${outcome} never came: ${JSON.stringify([...seen])}`);
    }
  });

  test("pieces of the extension grammar are parsed or refused", () => {
    const next = random(7692);
    let parsed = 0;
    for (let i = 0; i < 700; i++) if (tryExtensions(next)) parsed++;
    assert(parsed > 30, `${parsed} were parsed`);
  });
});
