import { assertEquals, assertGreater } from "@std/assert";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { root } from "../support/runtime.ts";
import { NEEDS } from "./needs.ts";

test("the tasks of deno.json install only programs that are known", () => {
  const { tasks } = JSON.parse(readFileSync(`${root}/deno.json`, "utf8")) as {
    readonly tasks: Readonly<Record<string, string>>;
  };
  const named = Object.values(tasks).flatMap((task) =>
    [...task.matchAll(/deno task install ([^&]*)&&/g)].flatMap(([, names = ""]) =>
      names.trim().split(/\s+/)
    )
  ).filter((name) => name !== "");
  assertGreater(named.length, 5);
  assertEquals(named.filter((name) => !Object.hasOwn(NEEDS, name)), []);
});
