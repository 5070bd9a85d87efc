import { assertEquals, assertNotEquals } from "@std/assert";
import { after, before, describe, test } from "node:test";
import type { Server } from "../../mod.ts";
import { root } from "../support/runtime.ts";
import { Child } from "../support/spawn.ts";
import { CASES, Site } from "./cases.ts";
import { python } from "./python.ts";
import { startWaterspout } from "./waterspout_server.ts";

describe("Tornado's websocket_test, on Waterspout", () => {
  let server: Server;
  before(() => {
    server = startWaterspout();
  });
  after(() => server.shutdown());

  for (const [index, { name, observe, expected }] of CASES.entries()) {
    test(name, async () => {
      assertEquals(await observe(new Site(server.addr.port), `case-${index}`), expected);
    });
  }
});

describe("Tornado's websocket_test, on Tornado", () => {
  let child: Child;
  let port = 0;
  before(async () => {
    child = new Child([python(), `${root}/tests/tornado/tornado_server.py`]);
    port = Number((await child.waitFor(/^port (\d+)$/m))[1]);
  });
  after(() => child?.stop());

  for (const [index, { name, observe, expected, tornado }] of CASES.entries()) {
    test(tornado === undefined ? name : `${name}: ${tornado.why}`, async () => {
      const observed = await observe(new Site(port), `case-${index}`);
      assertEquals(observed, tornado === undefined ? expected : tornado.expected);
      if (tornado !== undefined) assertNotEquals(tornado.expected, expected);
    });
  }
});
