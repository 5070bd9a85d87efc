import { assertEquals, assertGreater, assertMatch } from "@std/assert";
import { readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join, relative } from "node:path";
import { after, before, describe, test } from "node:test";
import { Draft76Client } from "../support/draft76_client.ts";
import { root, type Runtime } from "../support/runtime.ts";
import type { Child } from "../support/spawn.ts";
import {
  buildIn,
  everyEntryPoint,
  firstProgram,
  Project,
  stepsFor,
  withProject,
} from "./new_project.ts";
import { publishedFiles, startRegistry } from "./registry.ts";

const { name, version, exports } = JSON.parse(readFileSync(join(root, "deno.json"), "utf8")) as {
  name: string;
  version: string;
  exports: Record<string, string>;
};

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

/** Installs from JSR, without a cache. */
async function followOnDeno(files: readonly string[]): Promise<void> {
  const { prepare, run } = stepsFor("deno");
  const registry = await startRegistry(files);
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

/**
 * What the README says for each runtime that installs from npm, and the same from the folder `package`.
 * Both pack it first.
 */
const INSTALLS = {
  bun: [
    "bunx jsr add",
    'bun add --silent "$(cd package && bun pm pack --quiet --destination ..)"',
  ],
  node: [
    "npx jsr add",
    "npm install --silent --offline --no-audit --no-fund --install-links ./package",
  ],
} as const;

/** Installs the npm package in the folder of a project, and runs the programs. */
async function followOnNpm(runtime: keyof typeof INSTALLS, project: Project): Promise<void> {
  const { prepare, run } = stepsFor(runtime);
  const [fromJsr, fromFolder] = INSTALLS[runtime];
  project.write("main.ts", firstProgram());
  project.write("entry_points.ts", everyEntryPoint);
  await project.run(prepare.replace(`${fromJsr} ${name}`, fromFolder));
  await checkFirstProgram(project.start(`exec ${run}`));
  await project.run(`${runtime} entry_points.ts`);
}

const TSC = `node '${join(root, "node_modules/typescript/bin/tsc")}' --singleThreaded --noEmit ` +
  `--strict main.ts entry_points.ts`;
const TYPES = join(root, "node_modules/@types");

/** Type-checks the programs with the types of the DOM, and then with those of Node. */
async function checkTypes(project: Project): Promise<void> {
  project.write("main.ts", `${firstProgram()}\nexport {};\n`);
  const dom = "--lib es2024,esnext.disposable,dom,dom.iterable --types ''";
  await project.run(`${TSC} --module esnext --moduleResolution bundler --target es2024 ${dom}`);
  const node = `--lib es2024 --typeRoots '${TYPES}' --types node`;
  await project.run(`${TSC} --module nodenext --moduleResolution nodenext --target es2024 ${node}`);
}

/** Checks that the npm package has what a user needs, and nothing else. */
function checkFiles(folder: string): void {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)).replaceAll("\\", "/"));
  const isNeeded = (file: string) =>
    /^(?:(?:mod|src\/.+)\.(?:js|d\.ts)|package\.json|README\.md|CHANGELOG\.md|LICENSE)$/.test(file);
  assertEquals(files.filter((file) => !isNeeded(file)), []);
  for (const file of ["mod.js", "mod.d.ts", "README.md", "CHANGELOG.md", "LICENSE"]) {
    assertEquals(files.includes(file), true, file);
  }
}

describe("the packages", () => {
  /** The folder with the npm package. */
  let built: Project;
  /** What is published on JSR. */
  let published: readonly string[];
  before(async () => {
    built = new Project();
    buildIn(built);
    published = await publishedFiles();
  });
  after(() => built.remove());

  const withPackage = (body: (project: Project) => Promise<void>) =>
    withProject({}, (project) => {
      symlinkSync(join(built.folder, "package"), join(project.folder, "package"));
      return body(project);
    });

  const follow: Readonly<Record<Runtime, () => Promise<void>>> = {
    deno: () => followOnDeno(published),
    bun: () => withPackage((project) => followOnNpm("bun", project)),
    node: () =>
      withPackage(async (project) => {
        await followOnNpm("node", project);
        await checkTypes(project);
        checkFiles(join(project.folder, "node_modules", name));
        assertEquals(
          await project.run("npx --offline @waterspout/websocket probe --unknown 2>&1; echo $?"),
          "waterspout: unknown option --unknown; see waterspout probe --help\n2\n",
        );
      }),
  };

  test("a new project on Deno, made as the README says, runs its first program", follow.deno);

  test("a new project on Bun, made as the README says, runs its first program", follow.bun);

  test(
    "a new project on Node, made as the README says, runs its first program, type-checks by either " +
      "way of resolving, and has a program for npx and no file too many",
    follow.node,
  );

  test("that of JSR has what a user needs, and nothing else", () => {
    const odd = published.filter((file) =>
      !/^\/(?:mod\.ts|src\/.+\.ts|(?:README|CHANGELOG|SECURITY)\.md|LICENSE|deno\.json)$/.test(file)
    );
    assertEquals(odd, []);
    for (const path of Object.values(exports)) {
      assertEquals(published.includes(path.slice(1)), true);
    }
  });

  test("that of JSR has a version of the changelog", () => {
    const changes = readFileSync(join(root, "CHANGELOG.md"), "utf8");
    assertEquals(/^## (?!Unreleased)(\S+)/m.exec(changes)?.[1], version);
  });
});
