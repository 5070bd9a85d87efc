import { assert, assertEquals, assertMatch } from "@std/assert";
import { spawn } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { describe, test } from "node:test";
import { runtime, scriptCommand } from "../support/runtime.ts";
import { Child, spawnScript } from "../support/spawn.ts";

const PROGRAM = "src/cli/cli.ts";

/** Runs the program in a shell, behind a pipe, with only the permission that it needs. */
async function shell(line: string): Promise<{ code: number | null; output: string }> {
  const command = scriptCommand(PROGRAM, runtime, "--allow-net").map((part) => `'${part}'`);
  const child = new Child(["sh", "-c", line.replace("waterspout", command.join(" "))]);
  const code = await child.exited;
  return { code, output: child.output };
}

describe("the program in a pipe", () => {
  test("serves, connects, and probes", async () => {
    const server = spawnScript(PROGRAM, ["serve", "--port", "0"], { permission: "--allow-net" });
    try {
      const [, url] = await server.waitFor(/^Listening on (\S+)$/m);
      const lines = Array.from({ length: 1000 }, (_, index) => `line ${index}`).join("\n");
      const connected = await shell(
        // Otherwise it closes when no message has come for a second.
        `seq -f 'line %g' 0 999 | waterspout connect ${url} -V draft76 -n 1000 -w forever 2>&-`,
      );
      assertEquals(connected, { code: 0, output: `${lines}\n` });
      // Nobody reads on after the first line.
      const cut = await shell(`{ yes | waterspout connect ${url} 2>&-; echo $? >&2; } | head -1`);
      assertEquals(cut.output.split("\n").sort(), ["", "0", "y"]);
      const probed = await shell(`waterspout probe ${url} --json --timeout 60`);
      assertEquals(probed.code, 0, probed.output);
      const { versions } = JSON.parse(probed.output);
      // It connects in each version, and hears its echo.
      const echoes = versions.map(({ opens, echo }: Record<string, unknown>) => [
        opens,
        typeof echo,
      ]);
      assertEquals(echoes, Array(5).fill([true, "number"]));
      const code = await server.stop("SIGINT");
      assertEquals(code, 0, server.output);
    } finally {
      await server.stop("SIGKILL");
    }
  });

  test("ends only when its reader has read all", async () => {
    const server = spawnScript(PROGRAM, ["serve", "--port", "0"], { permission: "--allow-net" });
    const [, url] = await server.waitFor(/^Listening on (\S+)$/m);
    const lines = Array.from({ length: 1000 }, (_, index) => `${index}\n`).join("");
    const command = scriptCommand(PROGRAM, runtime, "--allow-net").map((part) => `'${part}'`);
    const options = [...command, "connect", url, "-n", "1000", "-w", "forever"].join(" ");
    const child = spawn("sh", ["-c", `seq 0 999 | ${options}`], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    try {
      const exited = new Promise((resolve) => child.once("close", resolve));
      let output = "";
      const read = () => child.stdout.setEncoding("utf8").on("data", (text) => output += text);
      // Node and Deno discard what nobody has read when the process ends.
      if (runtime !== "bun") read();
      await server.waitFor(/closed/);
      if (runtime === "bun") {
        // A program that does not wait ends within this time. The socket cannot hold its output.
        await wait(300);
        read();
      }
      assertEquals(await exited, 0);
      assert(output === lines, `${output.length} of ${lines.length} characters`);
    } finally {
      child.kill("SIGKILL");
      await server.stop("SIGKILL");
    }
  });

  test("ends with 2 and one line after a mistake, and prints no stack", async () => {
    const { code, output } = await shell("waterspout connect ws://127.0.0.1:1/ --verison 8");
    assertEquals(code, 2);
    assertMatch(output, /^waterspout: unknown option --verison; did you mean --version\?.*\n$/);
  });

  test("ends with 1 where nobody listens", async () => {
    const { code, output } = await shell("waterspout connect ws://127.0.0.1:1/ </dev/null");
    assertEquals(code, 1);
    assertMatch(output, /^waterspout: Cannot connect to ws:\/\/127\.0\.0\.1:1\/: .*\n$/);
  });
});
