import { assert } from "@std/assert";
import { describe, test } from "node:test";
import { VERSIONS } from "../handshake/good_server.ts";
import { random as randomFrom } from "../handshake/support.ts";
import { ChangedResponses } from "./changed_responses.ts";

/** `task fuzz` tries more. */
const ROUNDS = 200;

for (const version of VERSIONS) {
  describe(`randomly changed responses of ${version}`, () => {
    test("open or are refused, with the same result in any pieces", () => {
      const random = randomFrom(6455);
      const responses = new ChangedResponses(version);
      const counts = { opened: 0, refused: 0 };
      for (let round = 0; round < ROUNDS; round++) {
        counts[responses.try(random, `round ${round}`)]++;
      }
      assert(counts.opened > 0 && counts.refused > ROUNDS / 4, JSON.stringify(counts));
    });
  });
}
