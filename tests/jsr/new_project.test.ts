import { assertEquals, assertGreater, assertMatch } from "@std/assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Draft76Client } from "../support/draft76_client.ts";
import { root, runtime } from "../support/runtime.ts";
import type { Child } from "../support/spawn.ts";
import { everyEntryPoint, firstProgram, packInto, stepsFor, withProject } from "./new_project.ts";
import { publishedFiles, startRegistry } from "./registry.ts";

const { name } = JSON.parse(readFileSync(join(root, "deno.json"), "utf8")) as { name: string };

/** Checks the README's first program: it echoes, and prints the connection. */
async function checkFirstProgram(child: Child): Promise<void> {
  try {
    const [, port] = await child.waitFor(/Listening on [\d.:]*:(\d+)/);
    const url = `ws://127.0.0.1:${port}/websocket`;
    assertEquals(await echo(url, "Hello"), "You said: Hello");
    await child.waitFor(/open: rfc6455 from 127\.0\.0\.1\n[^]*closed: 1000\n/);
    const old = await Draft76Client.connect({ port: Number(port), url });
    try {
      old.send("Hello from 2010");
      assertEquals(await old.receiveText(), "You said: Hello from 2010");
      await old.close();
    } finally {
      await old.destroy();
    }
    await child.waitFor(/open: draft76 from 127\.0\.0\.1\n[^]*closed: no code\n/);
  } finally {
    await child.stop();
  }
}

function echo(url: string, text: string): Promise<unknown> {
  const socket = new WebSocket(url);
  return new Promise((resolve, reject) => {
    let received: unknown;
    socket.onopen = () => socket.send(text);
    socket.onmessage = ({ data }) => {
      received = data;
      socket.close(1000);
    };
    socket.onerror = () => reject(new Error(`Cannot connect to ${url}`));
    socket.onclose = () => resolve(received);
  });
}

const { prepare, run } = stepsFor(runtime);

/** Installs from JSR, without a cache. */
async function followOnDeno(): Promise<void> {
  const registry = await startRegistry(await publishedFiles());
  try {
    const env = { JSR_URL: registry.url };
    await withProject(env, async (project) => {
      const cached = `DENO_DIR='${join(project.folder, "deno_dir")}'`;
      project.write("main.ts", firstProgram());
      project.write("entry_points.ts", everyEntryPoint);
      await project.run(`${cached} ${prepare}`);
      assertMatch(readFileSync(join(project.folder, "deno.json"), "utf8"), /jsr:@waterspout/);
      await checkFirstProgram(project.start(`${cached} exec ${run}`));
      await project.run(`${cached} deno check main.ts entry_points.ts`);
      await project.run(`${cached} deno run --allow-net entry_points.ts`);
    });
    assertGreater(registry.asked.filter((path) => path.endsWith(".ts")).length, 50);
  } finally {
    await registry.stop();
  }
}

/** Installs the npm package from a tarball in the folder. */
async function followOnNpm(): Promise<void> {
  await withProject({}, async (project) => {
    await packInto(project);
    project.write("main.ts", firstProgram());
    project.write("entry_points.ts", everyEntryPoint);
    const add = runtime === "bun"
      ? "bun add --silent ./package.tgz"
      : "npm install --silent --offline --no-audit --no-fund ./package.tgz";
    await project.run(
      prepare.replace(`${runtime === "bun" ? "bunx" : "npx"} jsr add ${name}`, add),
    );
    await checkFirstProgram(project.start(`exec ${run}`));
    await project.run(`${runtime} entry_points.ts`);
  });
}

describe(`a new project on ${runtime}, made as the README says`, () => {
  test("runs its first program", runtime === "deno" ? followOnDeno : followOnNpm);
});
