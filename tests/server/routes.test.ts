import { describe, test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { Application } from "../../src/server/application.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import type { Pattern } from "../../src/server/route_types.ts";
import { Routes } from "../../src/server/routes.ts";

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
  ["/files/*", "/files/a/b", ["a/b"]],
  ["/files/*", "/files/", [""]],
  ["/files/:name.:ext", "/files/a.b.txt", ["a", "b.txt"], { name: "a", ext: "b.txt" }],
  ["/files/:name.:ext", "/files/caf%C3%A9.txt", ["café", "txt"], { name: "café", ext: "txt" }],
  ["/files/:name.:ext", "/files/a", undefined],
  ["/:a{-:b}?", "/x-y", ["x", "y"], { a: "x", b: "y" }],
  ["/:a{-:b}?", "/x", ["x", ""], { a: "x", b: "" }],
  ["/:a/*", "/x/y/z", ["x", "y/z"], { a: "x" }],
  ["/café", "/caf%C3%A9", []],
  ["/café/:name", "/caf%C3%A9/a", ["a"], { name: "a" }],
  ["/café/*", "/caf%C3%A9/a", ["a"]],
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

  test("a regular expression of URLPattern's, where the runtime has it", () => {
    const make = () => new Routes([["/:id(\\d+)", Handler], ["/(a|b)/:c", Handler]]);
    if (!("URLPattern" in globalThis)) {
      assertThrows(make, TypeError, "this runtime has no URLPattern");
      return;
    }
    assertEquals(make().match("/42")?.params, { id: "42" });
    assertEquals(make().match("/x"), undefined);
    assertEquals(make().match("/b/x")?.params, { c: "x" });
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
    assertThrows(() => new Routes([["room", Handler]]), TypeError, 'must begin with "/"');
  });
});

/** What is no route, as JavaScript may write it, and what is said of it. */
class NoHandler {
  onMessage(): void {}
}
class Silent extends WebSocketHandler {
  declare onMessage: () => void;
}
const wrong: readonly (readonly [routes: unknown, says: string])[] = [
  [undefined, "Cannot use routes: must be an array, got undefined"],
  [{ "/": Handler }, "Cannot use routes: must be an array, got an object"],
  [["/", Handler], 'Cannot use route 0: must be [pattern, handler, options?], got "/"'],
  [
    [{ path: "/", handler: Handler }],
    "route 0: must be [pattern, handler, options?], got an object",
  ],
  [[["/", Handler], ["/a"]], "route 1: must be [pattern, handler, options?], got an array of 1"],
  [[["/", Handler, {}, {}]], "got an array of 4"],
  [[[5, Handler]], "Cannot use route 0: pattern must be a string or a RegExp, got 5"],
  [[[undefined, Handler]], "pattern must be a string or a RegExp, got undefined"],
  [[["a", Handler]], 'Cannot use pattern "a": must begin with "/"'],
  [[["", Handler]], 'Cannot use pattern "": must begin with "/"'],
  [
    [["/a", undefined]],
    'Cannot use route "/a": handler must be a class that extends ' +
    "WebSocketHandler, got undefined",
  ],
  [[["/a", () => {}]], "got a function"],
  [[["/a", function echo() {}]], "got the function echo"],
  [[["/a", NoHandler]], "extends WebSocketHandler, got the function NoHandler"],
  [[["/a", new NoHandler()]], "got an object"],
  [[["/a", WebSocketHandler]], "got the function WebSocketHandler"],
  [[["/a", Silent]], 'Cannot use route "/a": Silent must have a method onMessage'],
  [[[/\/a/, Silent]], "Cannot use route /\\/a/: Silent must have a method onMessage"],
  [[["/:a/:a", Handler]], ""],
  [[["/{a", Handler]], ""],
  [[["/a?b+c?", Handler]], ""],
];

describe("an application", () => {
  for (const [index, [routes, says]] of wrong.entries()) {
    test(`refuses what is no route (${index}): ${says}`, () => {
      const make = () => new Application(routes as []);
      assertThrows(make, Error, says);
      if (says !== "") assertThrows(make, TypeError);
    });
  }
});
