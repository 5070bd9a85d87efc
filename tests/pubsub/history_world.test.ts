import { test } from "node:test";
import { randomFor } from "../support/random.ts";
import { World } from "./history_world.ts";

/** How many worlds a run has. */
const WORLDS = 25;

test("in random worlds nobody gets a message twice or misses one without being told", async () => {
  for (let number = 0; number < WORLDS; number++) {
    const world = new World(randomFor(`history world ${number}`));
    try {
      await world.run(40);
    } catch (error) {
      throw new Error(`World ${number}: ${world.story.join(", ")}`, { cause: error });
    }
  }
});
