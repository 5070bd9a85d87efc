/**
 * Browsers and other clients talk to a server through a proxy that splits, delays and cuts. What is not
 * cut arrives once and in order, both ends see the right close codes, and the server keeps nothing.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";
import { WebSocket as Ws } from "ws";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { websocketConnect } from "../../src/client/mod.ts";
import { launchChromium } from "../browser/chromium.ts";
import { type PhantomVersion, runPhantom } from "../browser/phantomjs.ts";
import { describeMessage, REPORT_PORT } from "../client/peers/reporter.ts";
import { ChaosProxy, type Fate } from "../support/chaos_proxy.ts";
import { randomFor, randomInteger } from "../support/random.ts";
import { Reports } from "../support/reports.ts";
import type { Runtime } from "../support/runtime.ts";
import { spawnScript } from "../support/spawn.ts";

/** One conversation; see talk.js. */
interface Plan {
  readonly path: string;
  readonly url: string;
  readonly sizes: readonly number[];
  /** How long it may take, in milliseconds. */
  readonly patience: number;
  readonly closes: "client" | "server";
  readonly burst: boolean;
  readonly binary: boolean;
  readonly codes: boolean;
  /** Whether `close()` closes the connection without a close frame. */
  readonly justEnds: boolean;
}

/** What a client has seen. */
interface Result {
  readonly path: string;
  readonly opened: boolean;
  readonly echoed: number;
  readonly wrong: string;
  /** The client's error, if it tells one. */
  readonly error: string;
  /** The close code; `null` if the client has none. */
  readonly code: number | null;
  readonly clean: boolean | null;
}

/** The conversations of one client. */
interface Job {
  readonly plans: readonly Plan[];
  readonly atOnce: number;
  /** When the last one may begin, in milliseconds since 1970. */
  readonly end: number;
}

type Report = (result: Result) => void;

/** The functions of talk.js. */
interface Talk {
  chaosMessage(plan: Plan, index: number): string | Uint8Array;
  chaosTalkAll(socket: unknown, job: Job, report: Report, done: () => void): void;
}

const { chaosMessage, chaosTalkAll }: Talk = runInThisContext(
  `(() => { ${
    readFileSync(new URL("talk.js", import.meta.url), "utf8")
  }\nreturn { chaosMessage, chaosTalkAll }; })()`,
);

/** In the page, the global object has the functions of talk.js. */
declare const globalThis: Talk & { readonly WebSocket: unknown };

/** How long to wait for anything, in milliseconds. The machine may be slow. */
const PATIENCE = 120_000;

/** A kind of client. */
interface Kind {
  readonly name: string;
  readonly binary: boolean;
  readonly codes: boolean;
  readonly justEnds: boolean;
  readonly atOnce: number;
  readonly run: (job: Job, report: Report, port: number) => Promise<void>;
}

/** A client with the W3C's interface, in this process. */
function inProcess(name: string, socket: unknown): Kind {
  const run = (job: Job, report: Report) =>
    new Promise<void>((resolve) => chaosTalkAll(socket, job, report, resolve));
  return { name, binary: true, codes: true, justEnds: false, atOnce: 6, run };
}

async function runChromium(job: Job, report: Report, port: number): Promise<void> {
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${port}/page`);
    const results = await page.evaluate((job) =>
      new Promise<Result[]>((resolve) => {
        const results: Result[] = [];
        globalThis.chaosTalkAll(
          globalThis.WebSocket,
          job,
          (result) => results.push(result),
          () => resolve(results),
        );
      }), job);
    results.forEach(report);
  } finally {
    await browser.close();
  }
}

function phantom(version: PhantomVersion, name: string): Kind {
  const run = async (job: Job, report: Report, port: number): Promise<void> => {
    const url = `http://127.0.0.1:${port}/page`;
    const browser = runPhantom(version, "tests/soak/talk.phantom.js", [url, JSON.stringify(job)]);
    try {
      const code = await browser.child.exited;
      if (code !== 0) throw new Error(`${name} has ended with ${code}: ${browser.child.output}`);
      for (const [, json = ""] of browser.child.output.matchAll(/^result (.*)$/gm)) {
        report(JSON.parse(json));
      }
    } finally {
      await browser.stop();
    }
  };
  // The WebKit of version 1.9.8 ends the TCP connection in `close()`.
  const isOld = version === 1;
  return { name, binary: !isOld, codes: !isOld, justEnds: isOld, atOnce: 3, run };
}

/** Our own client, with the interface of the others as far as talk.js uses it. */
class Ours {
  readyState = 0;
  onopen = () => {};
  onmessage = (_event: { data: unknown }) => {};
  onclose = (_event: { code: number; wasClean: boolean }) => {};
  #send: (message: string | Uint8Array) => void = () => {};
  #close: (code?: number, reason?: string) => void = () => {};

  constructor(url: string, version: WebSocketVersion) {
    void this.#talk(url, version);
  }

  send(message: string | Uint8Array): void {
    this.#send(message);
  }

  close(code?: number, reason?: string): void {
    this.readyState = 2;
    this.#close(code, reason);
  }

  async #talk(url: string, version: WebSocketVersion): Promise<void> {
    let code = 1006;
    try {
      const connection = await websocketConnect(url, {
        version,
        compression: { threshold: 100 },
        handshakeTimeout: PATIENCE,
        closeTimeout: PATIENCE,
        pingTimeout: PATIENCE,
      });
      this.#send = (message) => void connection.writeMessage(message);
      this.#close = (...how) => connection.close(...how);
      this.readyState = 1;
      this.onopen();
      for await (const message of connection) this.onmessage({ data: message });
      await connection.closed;
      code = connection.ended?.code ?? 1006;
    } catch {
      // It was cut before it was open.
    }
    this.readyState = 3;
    this.onclose({ code, wasClean: code !== 1006 });
  }
}

function ours(version: WebSocketVersion): Kind {
  const Socket = class extends Ours {
    constructor(url: string) {
      super(url, version);
    }
  };
  const isDraft = version === "draft75" || version === "draft76";
  const kind = inProcess(`our client, ${version}`, Socket);
  // draft75 has no close frame.
  return { ...kind, binary: !isDraft, codes: !isDraft, justEnds: version === "draft75", atOnce: 2 };
}

const KINDS: readonly Kind[] = [
  inProcess("ws", Ws),
  inProcess("Node's WebSocket", WebSocket),
  ours("rfc6455"),
  ours("hybi-08"),
  ours("hybi-07"),
  ours("draft76"),
  ours("draft75"),
  { ...inProcess("Chromium", undefined), atOnce: 4, run: runChromium },
  phantom(1, "PhantomJS 1.9.8"),
  phantom(2, "PhantomJS 2.1.1"),
];

/** The most conversations of one client. */
const MOST = 1000;

function makePlans(name: string, kind: Kind, port: number): Plan[] {
  return Array.from({ length: MOST }, (_, index) => {
    const random = randomFor(`${name} ${index}`);
    const path = `/echo?${name.replace(/\W+/g, "-")}-${index}`;
    const sizes = Array.from(
      { length: 1 + randomInteger(random, 12) },
      () => [0, 3, 125, 126, 3000, 66_000][Math.floor(random() ** 2 * 6)] ?? 0,
    );
    const closes = random() < 0.5 ? "client" : "server";
    const burst = random() < 0.5;
    const { binary, codes, justEnds } = kind;
    const url = `ws://127.0.0.1:${port}${path}`;
    return { path, url, sizes, patience: PATIENCE, closes, burst, binary, codes, justEnds };
  });
}

/** Compares what both ends have seen with the plan. Returns what is wrong. */
function judge(plan: Plan, result: Result, fate: Fate, events: readonly string[]): string[] {
  const wrong: string[] = result.wrong === "" ? [] : [result.wrong];
  const check = (isRight: boolean, what: string) => isRight || wrong.push(what);
  const got = events.filter((event) => !event.startsWith("close"));
  const ends = events.filter((event) => event.startsWith("close"));
  const wanted = plan.sizes.map((_, index) => describeMessage(chaosMessage(plan, index)));
  check(got.every((message, index) => message === wanted[index]), "the server got another message");
  const told = expectedEnds(plan);
  const codes = [plan.closes === "server" ? 4000 : 3000];
  if (fate === "whole") {
    check(
      result.opened && ends.length === 1,
      `opened ${result.opened}, closed ${ends.length} times`,
    );
    check(got.length === wanted.length, `the server got ${got.length} of ${wanted.length}`);
    check(result.echoed === wanted.length, `${result.echoed} of ${wanted.length} came back`);
    check(told.includes(ends[0] ?? ""), `the server was told ${ends[0]}`);
    if (plan.codes) check(codes.includes(result.code ?? 0), `the client got ${result.code}`);
    if (plan.codes) check(result.clean === true, "the client says that it was not clean");
  } else {
    check(ends.length <= 1, `the server was told ${ends.length} times`);
    // In draft75, a FIN is the regular end.
    const lost = [...told, "close 1006 network", ...(isDraft75(plan) ? ["close 1006 peer"] : [])];
    check(ends.every((end) => lost.includes(end)), `told ${ends[0]}`);
    if (plan.codes) {
      check([...codes, 1006].includes(result.code ?? 0), `the client got ${result.code}`);
    }
  }
  return wrong;
}

function isDraft75({ path }: Pick<Plan, "path">): boolean {
  return path.includes("draft75");
}

/** What the handler is told at the end of a connection that is not cut. */
function expectedEnds({ closes, codes, justEnds, path }: Plan): readonly string[] {
  if (isDraft75({ path })) return [`close 1006 ${closes === "client" ? "peer" : "server"}`];
  if (closes === "server") return [codes ? "close 4000 server" : "close 1005 server"];
  if (justEnds) return ["close 1006 network"];
  return [codes ? "close 3000 peer" : "close 1005 peer"];
}

interface Counts {
  readonly open: number;
  readonly total: number;
}

/** Waits until the server has no connection, and all ends are reported. */
async function settled(port: number, reports: Reports): Promise<Counts> {
  const patience = Date.now() + PATIENCE;
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${port}/counts`);
    const counts: Counts = await response.json();
    const isOver = counts.open === 0 && reports.closed === counts.total;
    if (isOver || Date.now() > patience) return counts;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Runs all clients for a time. Returns whether nothing was wrong. */
export async function chaos(runtime: Runtime, milliseconds: number): Promise<boolean> {
  await using stack = new AsyncDisposableStack();
  const reports = stack.adopt(new Reports(), (all) => all.stop());
  const env = { [REPORT_PORT]: `${await reports.listen()}` };
  const child = spawnScript("tests/soak/chaos_server.ts", [], { runtime, env });
  stack.defer(async () => void await child.stop("SIGKILL"));
  const port = Number((await child.waitFor(/^ready (\d+)$/m))[1]);
  const proxy = stack.adopt(await ChaosProxy.start(port, `chaos ${runtime}`), (it) => it.stop());
  const end = Date.now() + milliseconds;
  const violations: string[] = [];
  const finished: { readonly plan: Plan; readonly result: Result }[] = [];
  await Promise.all(KINDS.map(async (kind) => {
    const plans = makePlans(`${runtime} ${kind.name}`, kind, proxy.port);
    const byPath = new Map(plans.map((plan) => [plan.path, plan]));
    const { atOnce } = kind;
    const before = finished.length;
    await kind.run({ plans, atOnce, end }, (result) => {
      const plan = byPath.get(result.path);
      if (plan !== undefined) finished.push({ plan, result });
    }, port).catch((error) => violations.push(`${kind.name}: ${error}`));
    if (finished.length === before) violations.push(`${kind.name} had no conversation`);
  }));
  const { open, total } = await settled(port, reports);
  if (open > 0) violations.push(`${open} connections are left`);
  if (reports.closed !== total) violations.push(`${total} opened, ${reports.closed} closed`);
  const tally: Record<string, number> = {};
  for (const { plan, result } of finished) {
    const fate = proxy.fates.get(plan.path) ?? "whole";
    tally[fate] = (tally[fate] ?? 0) + 1;
    const wrong = judge(plan, result, fate, reports.of(plan.path));
    const where = `${plan.path}, ${fate}${result.error === "" ? "" : `, ${result.error}`}`;
    violations.push(...wrong.map((what) => `${where}: ${what}`));
  }
  const logged = child.output.replace(/^ready .*\n/, "").trim();
  if (logged !== "") violations.push(`the server said: ${logged.slice(0, 2000)}`);
  const fates = Object.entries(tally).map(([fate, count]) => `${count} ${fate}`).join(", ");
  console.log(`${runtime}: ${finished.length} conversations through the proxy: ${fates}`);
  for (const violation of violations.slice(0, 10)) console.log(`  violated: ${violation}`);
  if (violations.length > 10) console.log(`  and ${violations.length - 10} more`);
  return violations.length === 0;
}
