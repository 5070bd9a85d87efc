import { after, before, describe, test } from "node:test";
import { brokerConformance } from "../../src/testing/broker_kit.ts";
import { setups } from "./conformance_setups.ts";

for (const [name, setup] of Object.entries(setups)) {
  describe(`${name} conforms:`, () => {
    before(() => setup.begin());
    after(() => setup.end());
    // The kit tells why the others do not apply.
    for (const { name, run } of brokerConformance(setup).filter(({ skip }) => skip === undefined)) {
      test(name, run);
    }
  });
}
