import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { ProxyError } from "../../src/handshake/proxy_error.ts";

describe("the error of a proxy", () => {
  test("has the status, the refused credentials and the cause, if there are any", () => {
    const plain = new ProxyError("no");
    assertEquals([plain.message, plain.status, plain.refusesCredentials], ["no", undefined, false]);
    assertEquals("cause" in plain, false);
    const cause = new Error("reset");
    const whole = new ProxyError("no", { status: 407, refusesCredentials: true, cause });
    assertEquals([whole.status, whole.refusesCredentials, whole.cause], [407, true, cause]);
  });
});
