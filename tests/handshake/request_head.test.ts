import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { HttpError } from "../../src/errors.ts";
import { latin1Bytes } from "../support/bytes.ts";
import { CHROME, DRAFT76, headOf, readPieces } from "./support.ts";

describe("the request-target", () => {
  const rows: [target: string, host: string, resourceName: string, path: string, query: string][] =
    [
      ["/", "own:1", "/", "/", ""],
      ["/a/b%20c", "own:1", "/a/b%20c", "/a/b%20c", ""],
      ["/a?b=c?d", "own:1", "/a?b=c?d", "/a", "b=c?d"],
      ["/?", "own:1", "/?", "/", ""],
      ["//other/a", "own:1", "//other/a", "//other/a", ""],
      ["/http://other/", "own:1", "/http://other/", "/http://other/", ""],
      ["http://other", "other", "/", "/", ""],
      ["http://other/", "other", "/", "/", ""],
      ["HTTP://other:81/a?b", "other:81", "/a?b", "/a", "b"],
      ["https://[::1]:81?b/c", "[::1]:81", "/?b/c", "/", "b/c"],
      ["ws://other", "other", "/", "/", ""],
      ["ws://other:81/a?b", "other:81", "/a?b", "/a", "b"],
      ["WSS://[::1]:81?b/c", "[::1]:81", "/?b/c", "/", "b/c"],
    ];
  for (const [target, host, resourceName, path, query] of rows) {
    test(target, () => {
      const head = headOf(`GET ${target} HTTP/1.1\r\nHost: own:1\r\n\r\n`);
      assertEquals(head.target, target);
      assertEquals(head.host, host);
      assertEquals(head.resourceName, resourceName);
      assertEquals(head.path, path);
      assertEquals(head.query, query);
      const request = head.toRequest("http");
      assertEquals(request.url, `http://${host}${resourceName}`);
      // RFC 9112 §3.2.2: Host is ignored if the target has an authority.
      assertEquals([request.headers.get("host"), head.toHeaders().get("host")], [host, host]);
    });
  }
});

describe("the request-target * of OPTIONS", () => {
  test("has the path / (RFC 9112 §3.3)", () => {
    const head = headOf("OPTIONS * HTTP/1.1\r\nHost: own:1\r\n\r\n");
    assertEquals([head.target, head.resourceName, head.path, head.query], ["*", "/", "/", ""]);
  });
});

describe("fields", () => {
  const head = headOf(
    "POST / HTTP/1.1\r\nHost: a\r\nList: one\r\nX-Long-Name_1: \t v  w \t\r\nlist:two\r\nLIST: \r\n" +
      "other: list: three\r\nEmpty:\r\nLast: \xe9\r\n\r\n",
  );

  test("get finds a field in any case, without the space around its value", () => {
    assertEquals(head.get("host"), "a");
    assertEquals(head.get("x-long-name_1"), "v  w");
    assertEquals(head.get("empty"), "");
    assertEquals(head.get("last"), "\xe9");
    assertEquals(head.get("lost"), undefined);
    assertEquals(head.get("three"), undefined);
    assertEquals(head.get(""), undefined);
  });

  test("get joins the fields of one name in their order (RFC 9110 §5.3)", () => {
    assertEquals(head.get("list"), "one, two, ");
    assertEquals(head.get("other"), "list: three");
  });

  test("a name of the same length is another name", () => {
    assertEquals(head.get("lisu"), undefined);
    assertEquals(head.get("x-long-name-1"), undefined);
    assertEquals(headOf("GET / HTTP/1.0\r\n^: a\r\n\r\n").get("~"), undefined);
    assertEquals(headOf("GET / HTTP/1.0\r\n^: a\r\n\r\n").get("^"), "a");
  });

  test("rawValues has the values of one name, with the space around them", () => {
    assertEquals(head.rawValues("list").map((value) => value.trim()), ["one", "two", ""]);
    assertEquals(headOf("GET / HTTP/1.0\r\nA:  b \t\r\na:\r\n\r\n").rawValues("a"), ["  b \t", ""]);
    assertEquals(head.rawValues("lost"), []);
  });

  test("toHeaders has all of them", () => {
    assertEquals([...head.toHeaders()], [
      ["empty", ""],
      ["host", "a"],
      ["last", "\xe9"],
      ["list", "one, two, "],
      ["other", "list: three"],
      ["x-long-name_1", "v  w"],
    ]);
  });

  test("are found in heads that came in pieces, and in turns", () => {
    const bytes = latin1Bytes("\r\n" + DRAFT76);
    const outcome = readPieces([bytes.subarray(0, 50), bytes.subarray(50)]);
    assert(outcome !== "incomplete" && "head" in outcome);
    const whole = headOf("\r\n" + DRAFT76);
    const chrome = headOf(CHROME);
    for (const name of ["host", "upgrade", "cookie", "sec-websocket-key2", "accept-encoding"]) {
      assertEquals(outcome.head.get(name), whole.get(name));
      assertEquals(chrome.get("upgrade"), "websocket");
      assertEquals(whole.rawValues("upgrade").length, 1);
    }
  });
});

describe("toRequest", () => {
  test("keeps every field, those that a page may not set too", () => {
    const names = [
      "Host",
      "Connection",
      "Upgrade",
      "Cookie",
      "Origin",
      "Content-Length",
      "TE",
      "Via",
      "Sec-WebSocket-Key1",
      "Sec-WebSocket-Version",
      "Proxy-Authorization",
    ];
    const lines = names.map((name) => `${name}: a  \t b\r\n`).join("").replace("a  \t b", "a.b:1");
    const request = headOf(`GET /p?q HTTP/1.1\r\n${lines}\r\n`).toRequest("https");
    assertEquals(request.url, "https://a.b:1/p?q");
    assertEquals(request.method, "GET");
    assertEquals(names.map((name) => request.headers.get(name)), [
      "a.b:1",
      ...names.slice(1).map(() => "a  \t b"),
    ]);
  });

  test("makes one field of several of Cookie, by a semicolon", () => {
    const head = headOf(
      "GET / HTTP/1.0\r\ncookie: a=1\r\nX: y\r\nCOOKIE: b=2\r\nCookie: c=3\r\n\r\n",
    );
    assertEquals(head.toRequest("http").headers.get("cookie"), "a=1; b=2; c=3");
    assertEquals([...head.toHeaders()], [["cookie", "a=1; b=2; c=3"], ["x", "y"]]);
    // The same as the runtime's `Headers` for repeated fields.
    const fields: [name: string, value: string][] = [];
    head.toRequest("http", (url, init) => {
      const request = new Request(url, init);
      request.headers.append = (name, value) => void fields.push([name, value]);
      return request;
    });
    assertEquals(fields, [["cookie", "a=1; b=2; c=3"], ["X", "y"]]);
  });

  test("an HTTP/1.0 request without a host gets localhost", () => {
    const head = headOf("GET /a HTTP/1.0\r\n\r\n");
    assertEquals(head.host, "");
    assertEquals(head.toRequest("http").url, "http://localhost/a");
  });

  test("keeps the method", () => {
    for (const method of ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
      assertEquals(headOf(`${method} / HTTP/1.0\r\n\r\n`).toRequest("http").method, method);
    }
  });

  test("refuses a method that a Request can't carry, and never makes another of it", () => {
    // RFC 9110 §9.1: methods are case-sensitive, so `get` is not GET.
    const methods = ["TRACE", "TRACK", "FOO", "get", "Get", "post", "delete", "head", "options"];
    for (const method of [...methods, "put", "patch", "Patch", "foo"]) {
      const head = headOf(`${method} / HTTP/1.0\r\n\r\n`);
      assertEquals(head.method, method);
      let carried: string;
      try {
        carried = head.toRequest("http").method;
      } catch (error) {
        assert(error instanceof HttpError && error.status === 501, String(error));
        continue;
      }
      assertEquals(carried, method);
    }
    for (const method of ["get", "Get", "post", "delete", "head", "options", "put", "TRACE"]) {
      const head = headOf(`${method} / HTTP/1.0\r\n\r\n`);
      assertThrows(() => head.toRequest("http"), HttpError, `the method ${method} is not served`);
    }
    assertThrows(() => headOf("TRACK / HTTP/1.0\r\n\r\n").toRequest("http"), HttpError, "TRACK");
  });
});
