import { describe, test } from "node:test";
import { dice } from "./hixie_receive.ts";
import { client, server } from "./hybi_receive.ts";
import { tryEvents, tryFragments } from "./round_trips.ts";

// `task fuzz` tries more.
describe("one end receives what the other writes", () => {
  for (const [sender, receiver] of [[client, server], [server, client]] as const) {
    test(`from a ${sender.name} to a ${receiver.name}, in random pieces`, () => {
      for (let seed = 1; seed <= 8; seed++) {
        const name = `seed ${seed}`;
        tryEvents(dice(seed), { from: sender(), makeReceiver: receiver, name });
      }
    });
  }

  test("in random fragments with pings between them", () => {
    for (let seed = 1; seed <= 20; seed++) tryFragments(dice(seed), `seed ${seed}`);
  });
});
