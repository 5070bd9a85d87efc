import { assert, assertEquals, assertGreater, assertLessOrEqual, assertThrows } from "@std/assert";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { root, runtimes } from "../support/runtime.ts";
import { UsageError } from "../support/usage.ts";
import { findFiles, plan } from "./plan.ts";
import { findSkips } from "./skips.ts";
import { suiteOf, SUITES } from "./suites.ts";

const all = findFiles({ paths: [], tier: undefined });

describe("the table of suites", () => {
  test("has paths that are there, each once", () => {
    const paths = SUITES.map(({ path }) => path);
    assertEquals(paths.filter((path) => !existsSync(join(root, path))), []);
    assertEquals(new Set(paths).size, paths.length);
  });

  test("has the longest path for a file, and a tier for one without a row", () => {
    assertEquals(suiteOf("tests/brokers/envelope.test.ts").tier, "unit");
    assertEquals(suiteOf("tests/brokers/start.test.ts").tier, "e2e");
    assertEquals(suiteOf("tests/brokers_of/a.test.ts").path, "tests");
    assertEquals(suiteOf("tests/new/a.test.ts").tier, "unit");
  });
});

describe("the files to test", () => {
  test("are those of a tier, of folders, and each once", () => {
    const paths = ["tests/brokers", "tests/brokers/envelope.test.ts"];
    assertEquals(findFiles({ paths, tier: "unit" }), ["tests/brokers/envelope.test.ts"]);
    assertEquals(
      findFiles({ paths, tier: undefined }).length,
      new Set(findFiles({
        paths,
        tier: undefined,
      })).size,
    );
  });

  test("are some: a folder without any is a mistake, and so is a helper", () => {
    for (const path of ["tests/support/tls", "tests/support/rig.ts"]) {
      assertThrows(() => findFiles({ paths: [path], tier: undefined }), UsageError, path);
    }
    assertThrows(() => findFiles({ paths: ["tests/brokers/envelope.test.ts"], tier: "e2e" }));
  });
});

describe("a plan", () => {
  const jobs = plan(all, runtimes);

  test("runs every file on every runtime, or once if it does not depend on it", () => {
    for (const file of all) {
      const on = jobs.filter(({ files }) => files.includes(file)).map(({ runtime }) => runtime);
      const { once } = suiteOf(file);
      assertEquals(on.sort(), once === undefined ? [...runtimes].sort() : [once], file);
    }
  });

  test("runs on the runtimes that were asked for, whatever the table says", () => {
    const [job, ...more] = plan(["tests/cluster/cluster.test.ts"], ["bun"]);
    assertEquals([job?.runtime, more], ["bun", []]);
  });

  test("lets files share a process if they are of one tier and wait alike", () => {
    for (const { files, waits } of jobs) {
      const suites = [...new Set(files.map(suiteOf))];
      assertEquals(new Set(suites.map(({ tier }) => tier)).size, 1, files.join());
      assert(suites.every((suite) => (suite.waits ?? false) === waits), files.join());
      if (suites.some(({ alone }) => alone)) assertEquals(suites.length, 1, files.join());
      assertLessOrEqual(files.length, 120);
    }
  });

  test("divides a large group evenly, and starts with the suites that come first", () => {
    const unit = plan(findFiles({ paths: [], tier: "unit" }), ["bun"]);
    assertGreater(unit.length, 1);
    const sizes = unit.map(({ files }) => files.length);
    assertLessOrEqual(Math.max(...sizes) - Math.min(...sizes), 1);
    assertEquals(jobs.map(({ rank }) => rank), jobs.map(({ rank }) => rank).sort((a, b) => a - b));
    assertEquals(suiteOf(jobs[0]?.files[0] ?? "").path, "tests");
  });
});

describe("random values of tests", () => {
  test("come from the seed: nothing calls a function that does not follow it", () => {
    const names = ["UUID", "Bytes", "FillSync", "Int"].map((name) => `random${name}(`);
    const unseeded = readdirSync(join(root, "tests"), { recursive: true, encoding: "utf8" })
      .filter((file) => /\.(ts|js)$/.test(file) && !/node_modules|^(bench|soak)\b/.test(file))
      .filter((file) => {
        const text = readFileSync(join(root, "tests", file), "utf8");
        return text.includes("crypto." + names[0]) ||
          text.includes('"node:crypto"') && names.some((name) => text.includes(name));
      });
    assertEquals(unseeded, []);
  });
});

describe("a suite that lacks something", () => {
  const files = ["tests/proxies/proxies.test.ts", "tests/brokers/start.test.ts"];
  const missing = new Map([["nginx", "nginx is not installed"]] as const);

  test("is skipped by name, with the reason", () => {
    const [skip, ...more] = findSkips(files, missing, "all");
    assertEquals(more, []);
    assertEquals([skip?.suite, skip?.reason], ["tests/proxies", "nginx is not installed"]);
    assertEquals(skip?.allowed, true);
  });

  test("may be skipped only if it was named, once any was", () => {
    const allowed = (...names: string[]) => findSkips(files, missing, names)[0]?.allowed;
    assertEquals([allowed(), allowed("tests/brokers")], [false, false]);
    assertEquals([allowed("tests/proxies"), allowed("tests")], [true, true]);
  });
});
