import { describe, test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { WebSocketHandler } from "../../src/server/handler.ts";
import { type Pattern, Routes } from "../../src/server/routes.ts";

class Handler extends WebSocketHandler {
  onMessage(): void {}
}

const rows: [pattern: Pattern, path: string, args: string[] | undefined, params?: object][] = [
  ["/", "/", []],
  ["/", "/x", undefined],
  ["/a.b", "/a.b", []],
  ["/a.b", "/axb", undefined],
  ["/a|b", "/a", undefined],
  ["/$a[1]^", "/$a[1]^", []],
  ["/room/:name", "/room/lobby", ["lobby"], { name: "lobby" }],
  ["/room/:name", "/room/", undefined],
  ["/room/:name", "/room/a/b", undefined],
  ["/room/:name", "/room/caf%C3%A9", ["café"], { name: "café" }],
  ["/room/:name", "/room/a%2Fb", ["a/b"], { name: "a/b" }],
  ["/a.b/:x/c", "/a.b/1/c", ["1"], { x: "1" }],
  ["/a.b/:x/c", "/aXb/1/c", undefined],
  ["/:a/:b", "/1/2", ["1", "2"], { a: "1", b: "2" }],
  [/\/(\d+)/, "/42", ["42"]],
  [/\/(\d+)/, "/42/x", undefined],
  [/\/(?<id>\d+)|\/none/g, "/42", ["42"], { id: "42" }],
  [/\/(?<id>\d+)|\/none/g, "/none", [""], { id: "" }],
  [/\/A/i, "/a", []],
];

describe("routes", () => {
  for (const [pattern, path, args, params] of rows) {
    test(`${pattern} on ${path}`, () => {
      const routes = new Routes([[pattern, Handler]]);
      // Twice: a global RegExp must not remember where it was.
      for (let i = 0; i < 2; i++) {
        const match = routes.match(path);
        assertEquals(match?.args.slice(), args);
        if (args !== undefined) assertEquals({ ...match?.params }, { ...params });
      }
    });
  }

  test("URLPattern syntax, where the runtime has it", () => {
    const make = () => new Routes([["/files/*", Handler], ["/:a{-:b}?", Handler]]);
    if (!("URLPattern" in globalThis)) {
      assertThrows(make, TypeError, "this runtime has no URLPattern");
      return;
    }
    assertEquals(make().match("/files/a/b")?.args.slice(), ["a/b"]);
    assertEquals(make().match("/x-y")?.params, { a: "x", b: "y" });
    assertEquals(make().match("/x")?.params, { a: "x", b: "" });
  });

  test("the first route that matches wins, with its options", () => {
    const routes = new Routes([["/:x", Handler, 1], ["/a", Handler, 2]]);
    assertEquals(routes.match("/a")?.options, 1);
    assertEquals(routes.match("/a/b"), undefined);
  });

  test("malformed percent-encoding is an error", () => {
    assertThrows(() => new Routes([["/:x", Handler]]).match("/%zz"), URIError);
  });

  test("a pattern must be a path", () => {
    assertThrows(() => new Routes([["room", Handler]]), TypeError, 'it must begin with "/"');
  });
});
