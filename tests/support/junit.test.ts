import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { parseJUnit } from "./junit.ts";

/** The same file, with a describe of two tests of which one fails, as each runtime reports it. */
const reports = {
  deno: `<testsuites name="deno test" tests="4" failures="2">
    <testsuite name="./tests/a.test.ts" tests="2">
      <testcase name="outer" classname="./tests/a.test.ts">
        <failure message="1 test step failed">1 test step failed.</failure>
      </testcase>
      <testcase name="top" classname="./tests/a.test.ts"><skipped/></testcase>
    </testsuite>
    <testsuite name="ext:deno_node/testing.ts" tests="2">
      <testcase name="outer &gt; one" classname="ext:deno_node/testing.ts"></testcase>
      <testcase name="outer &gt; &lt;two&gt;" classname="ext:deno_node/testing.ts">
        <failure message="1 !== 2">&lt;testcase name=&quot;no&quot;/&gt;</failure>
      </testcase>
    </testsuite></testsuites>`,
  bun: `<testsuites name="bun test" tests="3">
    <testsuite name="tests/a.test.ts" file="tests/a.test.ts">
      <testsuite name="outer" file="tests/a.test.ts" line="3">
        <testcase name="one" classname="outer" file="tests/a.test.ts" assertions="0" />
        <testcase name="&lt;two&gt;" classname="outer" file="tests/a.test.ts">
          <failure type="AssertionError" message="1 !== 2">1 !== 2</failure>
        </testcase>
      </testsuite>
      <testcase name="top" classname="" file="tests/a.test.ts"><skipped /></testcase>
    </testsuite></testsuites>`,
  node: `<testsuites>
    <testsuite name="outer" tests="2" failures="1">
      <testcase name="one" classname="outer" file="/repository/tests/a.test.ts"/>
      <testcase name="&lt;two>" classname="outer" file="/repository/tests/a.test.ts" failure="1">
        <failure type="testCodeFailure" message="1 !== 2">1 !== 2</failure>
      </testcase>
    </testsuite>
    <testcase name="top" classname="test" file="/repository/tests/a.test.ts">
      <skipped type="skipped" message="true"/>
    </testcase></testsuites>`,
};

for (const [runtime, report] of Object.entries(reports)) {
  test(`reads the report of ${runtime}`, () => {
    const results = parseJUnit(report);
    const tests = results.filter(({ group }) => !group).map(({ name, outcome }) => [name, outcome]);
    assertEquals(tests.sort(), [
      ["outer > <two>", "failed"],
      ["outer > one", "passed"],
      ["top", "skipped"],
    ]);
    assertEquals(results.some(({ file }) => file.endsWith("tests/a.test.ts")), true);
  });
}
