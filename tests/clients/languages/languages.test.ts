import { assertEquals } from "@std/assert";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { seed } from "../../support/random.ts";
import { runtimes } from "../../support/runtime.ts";
import { Child, spawnScript } from "../../support/spawn.ts";
import { type Ability, type Client, CLIENTS, type Compression, type Talk } from "./clients.ts";
import type { Seen } from "./server.ts";

/** The names of the versions. */
const VERSIONS: Readonly<Record<Talk["version"], string>> = {
  "75": "draft75",
  "76": "draft76",
  "7": "hybi-07",
  "8": "hybi-08",
  "13": "rfc6455",
};

/** How connections end in the versions without close codes; draft75 has no closing handshake at all. */
const DRAFT_ENDS: Readonly<Record<string, number>> = { "75": 1006, "76": 1005 };

/** What the server receives on the first connection. */
const TEXTS = ["text 0", "text 5", "text 30"];
const LARGE_TEXT = "text 33334";
const BINARIES = ["binary 0", "binary 126", "binary 102400"];

/** One client's talk with one server. */
interface Meeting {
  readonly talk: Talk;
  readonly compression: Compression;
  readonly url: string;
}

/** Whether the client can do it. */
function can({ lacks = [] }: Talk, ability: Ability): boolean {
  return !lacks.includes(ability);
}

/** The number of further handshakes. Those with compression would be the same. */
function handshakesOf({ talk, compression }: Meeting): number {
  return compression === "plain" ? talk.handshakes ?? 0 : 0;
}

/** The messages that a client sends first. */
function messagesOf({ talk, compression }: Meeting): string[] {
  const large = can(talk, "large") ? [LARGE_TEXT] : [];
  const all = [...TEXTS, ...large, ...(talk.version in DRAFT_ENDS ? [] : BINARIES)];
  return compression !== "plain" && talk.compressedEchoes === all.length - 1
    ? all.filter((message) => message !== "binary 0")
    : all;
}

/** The lines that a client prints. */
function expectedLines(meeting: Meeting): string[] {
  const { talk, compression, url } = meeting;
  const isDraft = talk.version in DRAFT_ENDS;
  const agreed = {
    plain: undefined,
    messages: "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    takeover: "permessage-deflate",
  }[compression];
  const answer = can(talk, "reason") ? "left 4000 done" : "left 4000";
  return [
    `connect ${url}`,
    ...(can(talk, "subprotocol") ? ["subprotocol chat"] : []),
    ...(agreed === undefined ? [] : [`extensions ${agreed}`]),
    `echoes ${messagesOf(meeting).length}`,
    ...(!isDraft && can(talk, "ping") && can(talk, "pong") ? ["pong are you there"] : []),
    ...(isDraft ? ["closed"] : ["ponged", "closed 4321 as you wish"]),
    isDraft || !can(talk, "answer") ? "left" : answer,
    `handshakes ${handshakesOf(meeting)}`,
  ];
}

/** What the server sees. */
function expectedSeen(meeting: Meeting): Seen[] {
  const { talk } = meeting;
  const code = DRAFT_ENDS[talk.version];
  const common = {
    version: VERSIONS[talk.version],
    ...(can(talk, "subprotocol") ? { subprotocol: "chat" } : {}),
    pings: [],
    pongs: [],
    end: code === undefined ? "peer 4000 done" : `peer ${code}`,
  };
  const first = {
    ...common,
    messages: [...messagesOf(meeting), ...(code === undefined ? ["text 7"] : []), "text 8"],
    pings: code === undefined && can(talk, "ping") ? ["are you there"] : [],
    pongs: code === undefined ? ["and you"] : [],
    end: code === undefined ? "server 4321 as you wish" : `server ${code}`,
  };
  const handshake = { ...common, messages: ["text 5"] };
  return [
    first,
    { ...common, messages: [] },
    ...Array.from({ length: handshakesOf(meeting) }, () => handshake),
  ];
}

/** How long a client may take before it is killed, in milliseconds. */
const PATIENCE = 120_000;

/** Runs a command to its end, and returns its output. */
async function run(command: readonly string[], cwd: string): Promise<string> {
  const child = new Child(command, { cwd });
  const late = setTimeout(() => void child.stop("SIGKILL"), PATIENCE);
  try {
    assertEquals(await child.exited, 0, `${command.join(" ")}\n${child.output}`);
    return child.output;
  } finally {
    clearTimeout(late);
    await child.stop("SIGKILL");
  }
}

/** What the server has seen at a URL. Its connections end soon after the client. */
async function seenAt(url: string): Promise<Seen[]> {
  const response = await fetch(url.replace(/^ws/, "http"), {
    signal: AbortSignal.timeout(PATIENCE),
  });
  return response.json();
}

describe("clients in other languages talk with a server on Deno, Bun and Node", () => {
  const servers: Child[] = [];
  const origins: string[] = [];
  const compiled = new Map<string, Promise<string>>();
  let folder = "";

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "waterspout-clients-"));
    for (const runtime of runtimes) {
      servers.push(spawnScript("tests/clients/languages/server.ts", [], { runtime }));
    }
    for (const server of servers) {
      const [, port] = await server.waitFor(/^ready (\d+)$/m);
      origins.push(`ws://127.0.0.1:${port}`);
    }
  });
  after(async () => {
    for (const server of servers) await server.stop("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs the same command once. */
  function compile(command: readonly string[]): Promise<string> {
    const key = command.join(" ");
    const running = compiled.get(key) ?? run(command, folder);
    compiled.set(key, running);
    return running;
  }

  function meetings({ name, talks }: Client): Meeting[] {
    return talks.flatMap((talk) =>
      (talk.compressions ?? ["plain"]).flatMap((compression) =>
        origins.map((origin) => ({
          talk,
          compression,
          url: `${origin}/${encodeURIComponent(name)}-${talk.version}/${compression}`,
        }))
      )
    );
  }

  for (const client of CLIENTS) {
    test(`${client.language}: ${client.name}`, async () => {
      if (client.compile) await compile(client.compile(folder));
      const all = meetings(client);
      const targets = all.flatMap((meeting) => [
        meeting.talk.version,
        String(handshakesOf(meeting)),
        meeting.url,
      ]);
      const output = await run([...client.command(folder), String(seed), ...targets], folder);
      const lines = output.trim().split("\n").map((line) => line.trim());
      assertEquals(lines, all.flatMap(expectedLines));
      for (const meeting of all) {
        assertEquals(await seenAt(meeting.url), expectedSeen(meeting), meeting.url);
      }
    });
  }
});
