import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { formatJUnit, parseJUnit } from "./junit.ts";

/** Reports of two files: a describe with a failed test, and a skipped test. */
const reports = {
  "Bun": `<testsuites name="bun test" tests="3">
    <testsuite name="tests/runner/batch.ts" file="tests/runner/batch.ts">
      <testcase name="file: tests/a.test.ts" classname="" file="tests/runner/batch.ts" />
      <testsuite name="outer" file="tests/runner/batch.ts" line="3">
        <testcase name="one" classname="outer" file="tests/runner/batch.ts" assertions="0" />
        <testcase name="&lt;two&#39;s&gt;" classname="outer" file="tests/runner/batch.ts">
          <failure type="AssertionError" message="1 !== 2">1 !== 2</failure>
        </testcase>
        <testsuite name="inner" file="tests/runner/batch.ts">
          <testcase name="three" classname="outer" file="tests/runner/batch.ts" />
        </testsuite>
      </testsuite>
      <testcase name="top" classname="" file="tests/runner/batch.ts"><skipped /></testcase>
      <testcase name="file: tests/b.test.ts" classname="" file="tests/runner/batch.ts" />
      <testcase name="outer" classname="" file="tests/runner/batch.ts" />
      <testcase name="file: " classname="" file="tests/runner/batch.ts" />
    </testsuite></testsuites>`,
  "another program": `<?xml version="1.0" encoding="utf-8"?>
    <testsuites>
    <testcase name="file: tests/a.test.ts" classname="test" file="/r/tests/runner/batch.ts"/>
    <testsuite name="outer" tests="2" failures="1">
      <testcase name="one" classname="outer" file="/r/tests/a.test.ts"/>
      <testcase name="&lt;two&#39;s>" classname="outer" file="/r/tests/a.test.ts" failure="1">
        <failure type="testCodeFailure" message="1 !== 2">1 !== 2</failure>
      </testcase>
      <testsuite name="inner"><testcase name="three" classname="inner"/></testsuite>
    </testsuite>
    <testcase name="top" classname="test" file="/r/tests/a.test.ts">
      <skipped type="skipped" message="true"/>
    </testcase>
    <testcase name="file: tests/b.test.ts" classname="test" file="/r/tests/runner/batch.ts"/>
    <testcase name="outer" classname="test" file="/r/tests/b.test.ts"/>
    <testcase name="file: " classname="test" file="/r/tests/runner/batch.ts"/>
    <!-- tests 3 -->
    </testsuites>`,
};

for (const [runtime, report] of Object.entries(reports)) {
  test(`reads the report of ${runtime}`, () => {
    assertEquals(parseJUnit(report).map(({ file, name, outcome }) => [file, name, outcome]), [
      ["tests/a.test.ts", "outer > one", "passed"],
      ["tests/a.test.ts", "outer > <two's>", "failed"],
      ["tests/a.test.ts", "outer > inner > three", "passed"],
      ["tests/a.test.ts", "top", "skipped"],
      ["tests/b.test.ts", "outer", "passed"],
    ]);
  });
}

test("reads any number of entities", () => {
  const report = `<testsuites>${'<testcase name="a &gt; b"/>'.repeat(5000)}</testsuites>`;
  assertEquals(parseJUnit(report).length, 5000);
});

test("reads what it has written", () => {
  const failure = { error: new Error("1 !== 2") };
  const report = formatJUnit([
    { path: ["file: tests/a.test.ts"] },
    { path: ["outer", 'a "<two\'s>" & more\0'], failure },
    { path: ["outer", "inner", "three"] },
    { path: ["top"] },
  ]);
  assertEquals(parseJUnit(report).map(({ file, name, outcome }) => [file, name, outcome]), [
    ["tests/a.test.ts", `outer > a "<two's>" & more `, "failed"],
    ["tests/a.test.ts", "outer > inner > three", "passed"],
    ["tests/a.test.ts", "top", "passed"],
  ]);
});
