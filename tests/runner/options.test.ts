import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { UsageError } from "../support/usage.ts";
import { parseOptions } from "./options.ts";

describe("the command line", () => {
  test("has defaults", () => {
    const { runtimes, paths, tier, maySkip, install, timeout, slowest } = parseOptions([]);
    assertEquals([runtimes, paths, tier], [["deno", "bun", "node"], [], undefined]);
    assertEquals([maySkip, install, timeout, slowest], ["all", true, 300_000, 10]);
    assertEquals(parseOptions(["--slowest", "200"]).slowest, 200);
  });

  test("names runtimes, files, and what may be skipped", () => {
    const options = parseOptions([
      ...["--runtime", "node,deno", "--tier", "unit", "--seed", "7", "--jobs", "1"],
      ...["--may-skip", "tests/proxies/", "--no-install", "tests/runner", "./tests/http"],
    ]);
    assertEquals(options.runtimes, ["deno", "node"]);
    assertEquals([options.tier, options.seed, options.jobs], ["unit", 7, 1]);
    assertEquals([options.maySkip, options.install], [["tests/proxies"], false]);
    assertEquals(options.paths, ["tests/runner", "tests/http"]);
    assertEquals(parseOptions(["--no-skip"]).maySkip, []);
    assertEquals(parseOptions(["--node", "/opt/node"]).executables, { node: "/opt/node" });
  });

  const wrong: readonly (readonly [args: string[], says: string])[] = [
    [["--fast"], "Unknown option '--fast'; the options are --runtime, --tier, --no-skip"],
    [["--runtime", "perl"], "no runtime is called perl, only deno, bun, node"],
    [["--tier", "slow"], "no tier is called slow"],
    [["--seed", "x"], "Option --seed must be an integer of at least 0, got x"],
    [["--jobs", "0"], "Option --jobs must be an integer of at least 1, got 0"],
    [["--timeout"], "--timeout"],
    [["tests/nowhere"], "Cannot test tests/nowhere: no such file or folder"],
    [["../elsewhere"], "Cannot test ../elsewhere: no such file or folder"],
    [["--may-skip", "tests/nowhere"], "Cannot test tests/nowhere"],
  ];
  for (const [args, says] of wrong) {
    test(`refuses ${args.join(" ")} in one line`, () => {
      const { message } = assertThrows(() => parseOptions(args), UsageError, says);
      assertEquals(message.includes("\n"), false);
    });
  }
});
