import { assert, assertThrows } from "@std/assert";
import crossws from "crossws/adapters/node";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Duplex } from "node:stream";
import { Server as SocketIo } from "socket.io";
import { WebSocketServer } from "ws";
import { websocketConnect } from "../../src/client/mod.ts";
import { WEBSOCKET_VERSIONS, type WebSocketVersion } from "../../src/handshake/versions.ts";
import { HANDSHAKE, Host } from "../attach/support.ts";
import { root, runtime } from "../support/runtime.ts";

/** A library, and what ends it. */
interface Subject {
  /** The path of its WebSocket. */
  readonly path: string;
  /** Adds it to a server as its documentation says. Returns what ends it. */
  add(host: Host): () => unknown;
}

/** The columns of the table in the README. */
const SUBJECTS: Readonly<Record<string, Subject>> = {
  Waterspout: {
    path: "/echo",
    add: (host) => {
      const attachment = host.attach();
      return () => attachment.detach();
    },
  },
  ws: {
    path: "/ws",
    add: ({ server }) => {
      const wss = new WebSocketServer({ server, path: "/ws" });
      return () => {
        for (const client of wss.clients) client.terminate();
        wss.close();
      };
    },
  },
  "Socket.IO": {
    path: "/socket.io/?EIO=4&transport=websocket",
    add: ({ server }) => {
      const io = new SocketIo(server, { destroyUpgradeTimeout: 50 });
      return () => io.engine.close();
    },
  },
  crossws: {
    path: "/ws",
    add: ({ server }) => {
      const { handleUpgrade, closeAll } = crossws({});
      server.on("upgrade", handleUpgrade);
      return () => closeAll(1001, "", true);
    },
  },
};

/** How long the other listener takes: longer than Socket.IO waits here. */
const OTHERS_TIME = 150;

/** Runs `body` with a server that a library was added to. */
async function withSubject<Result>(
  subject: Subject,
  body: (host: Host) => Promise<Result>,
): Promise<Result> {
  await using host = new Host({ versions: WEBSOCKET_VERSIONS });
  const end = subject.add(host);
  await host.listen();
  try {
    return await body(host);
  } finally {
    end();
  }
}

/** The versions that open. */
async function versionsOf(subject: Subject): Promise<string> {
  const names: Readonly<Record<WebSocketVersion, string>> = {
    draft75: "draft75",
    draft76: "draft76",
    "hybi-07": "7",
    "hybi-08": "8",
    rfc6455: "13",
  };
  return await withSubject(subject, async (host) => {
    const opened: string[] = [];
    for (const version of [...WEBSOCKET_VERSIONS].reverse()) {
      const connection = await websocketConnect(host.url(subject.path), { version })
        .catch(() => undefined);
      if (connection === undefined) continue;
      opened.push(names[version]);
      connection.abort();
      await connection.closed;
    }
    return opened.join(", ");
  });
}

/** What a request gets, as the table says it. */
async function answerTo(host: Host, path: string, fields: readonly string[]): Promise<string> {
  const answer = await host.ask(path, ...fields).catch(() => "");
  const status = answer.split(" ")[1];
  if (status === undefined) return "the socket is ended";
  return status === "101" ? "opened" : status;
}

/** What becomes of a request that another listener answers in its own time. */
async function answerOfOther(subject: Subject): Promise<string> {
  return await withSubject(subject, async (host) => {
    host.server.on("upgrade", ({ url }: { url?: string }, socket: Duplex) => {
      if (url !== "/other") return;
      socket.on("error", () => {});
      setTimeout(() => socket.end("HTTP/1.1 418 I'm a teapot\r\n\r\n"), OTHERS_TIME);
    });
    const answer = await answerTo(host, "/other", HANDSHAKE);
    return answer === "418" ? "passed to it" : answer;
  });
}

async function isSeenByOthers(subject: Subject): Promise<string> {
  return await withSubject(subject, async (host) => {
    let seen = 0;
    host.server.on("upgrade", () => void seen++);
    await answerTo(host, subject.path, HANDSHAKE);
    return seen === 0 ? "no" : "yes";
  });
}

const H2C = ["Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMA"];

/** The rows of the table. */
const ROWS: readonly [name: string, measure: (subject: Subject) => Promise<string>][] = [
  ["versions", versionsOf],
  ["its requests reach the other `upgrade` listeners", isSeenByOthers],
  ["a WebSocket path of another listener", answerOfOther],
  [
    "an unknown WebSocket path",
    (subject) => withSubject(subject, (host) => answerTo(host, "/other", HANDSHAKE)),
  ],
  ["`Upgrade: h2c` for a page", (subject) =>
    withSubject(subject, async (host) => {
      const answer = await answerTo(host, "/page", H2C);
      return answer === "200" ? "the page" : answer;
    })],
];

describe("the README's table of attaching", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8").replace(/ +/g, " ");
  const isIncompatible = runtime !== "node";

  test("knows that the node adapter of crossws is for Node alone", () => {
    if (isIncompatible) assertThrows(() => crossws({}), Error, "incompatible environment");
    else crossws({});
    assert(readme.includes("| Deno, Bun, Node | all | all | all | Node |"));
  });

  for (const [name, measure] of ROWS) {
    test(`says what is measured: ${name}`, async () => {
      const cells: string[] = [];
      for (const [column, subject] of Object.entries(SUBJECTS)) {
        const isLeftOut = isIncompatible && column === "crossws";
        cells.push(isLeftOut ? "" : await measure(subject));
      }
      const row = `| ${[name, ...cells].join(" | ")}`;
      assert(readme.includes(row.trim()), row);
    });
  }
});
