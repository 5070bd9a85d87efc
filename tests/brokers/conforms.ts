/**
 * Runs the conformance kit.
 *
 * @module
 */
import { after, before, describe, test } from "node:test";
import type { BrokerCase } from "../../src/testing/broker_kit.ts";
import { casesOf, type ServedSetup } from "./conformance_setups.ts";

/** Chooses cases. The index counts the cases that apply to a broker. */
export type Choice = (one: BrokerCase, index: number) => boolean;

/** Tests that a broker passes the cases of the kit that apply to it, or some of them. */
export function conforms(name: string, setup: ServedSetup, isWanted: Choice = () => true): void {
  describe(`${name} conforms:`, () => {
    before(() => setup.begin());
    after(() => setup.end());
    for (const { name, run } of casesOf(setup).filter(isWanted)) test(name, run);
  });
}
