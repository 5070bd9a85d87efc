/**
 * The table of clients in other languages, and how to run them.
 *
 * A client is called with a seed and, for each server, a version, a number of handshakes and a URL:
 * `CLIENT SEED [VERSION HANDSHAKES URL] …`. To each URL it opens a connection, which
 *
 * - offers the subprotocol `chat`, and prints `subprotocol chat` and `extensions …`,
 * - sends texts and binary messages, empty ones and some of 100 KB, and prints how many came back
 *   unchanged: `echoes 7`,
 * - sends the ping `are you there`, and prints `pong are you there`,
 * - sends `ping me`, and prints `ponged`, the server's text after the pong,
 * - sends `close me`, and prints `closed CODE REASON`.
 *
 * On a second connection it closes with 4000 and `done`, and prints `left CODE REASON` from the server's
 * answer. Then it makes further handshakes, each with an echo and a close, and prints their number.
 *
 * @module
 */
import { join } from "node:path";
import { findExecutable, root } from "../../support/runtime.ts";
import { sized } from "../../support/sizes.ts";

/** What a client can lack. */
export type Ability =
  /** Offering a subprotocol. */
  | "subprotocol"
  /** Messages of 100 KB. */
  | "large"
  /** Sending a ping. */
  | "ping"
  /** Telling that a pong has come. */
  | "pong"
  /** Telling with which code and reason the server answers a close frame, or with which reason. */
  | "answer"
  | "reason";

/** How a server compresses; see server.ts. */
export type Compression = "plain" | "messages" | "takeover";

/** What a client does in one version of the protocol. */
export interface Talk {
  readonly version: "75" | "76" | "7" | "8" | "13";
  readonly lacks?: readonly Ability[];
  /** How many further handshakes it makes with each server. Default: 0. */
  readonly handshakes?: number;
  /** The server's compressions that it meets. Default: only `plain`, since it has none itself. */
  readonly compressions?: readonly Compression[];
  /** The number of echoes, if not all messages can be sent with compression. */
  readonly compressedEchoes?: number;
}

/** A client. */
export interface Client {
  /** The library, as a part of paths. */
  readonly name: string;
  readonly language: string;
  readonly talks: readonly Talk[];
  /** A command that puts what the client needs into a folder. The same command runs once. */
  compile?(folder: string): string[];
  command(folder: string): string[];
}

const HERE = join(root, "tests/clients/languages");

/** With each of the three servers. Together a hundred handshakes in `deno task soak`. */
const RANDOM = sized({ test: 8, soak: 34 });
const ALL: readonly Compression[] = ["plain", "messages", "takeover"];

/**
 * For clients that do not support a client_no_context_takeover in the response (RFC 7692 §7.1.1.2):
 * Netty refuses it by default, and Mojolicious keeps its context.
 */
const NO_HINT: readonly Compression[] = ["plain", "takeover"];

/** Debian's Python: another one in PATH does not have Debian's packages. */
const PYTHON = "/usr/bin/python3";

const JARS = ["common", "buffer", "transport", "codec", "codec-http", "handler", "resolver"]
  .map((name) => `/usr/share/java/netty-${name}.jar`)
  .concat("/usr/share/java/jctools-core.jar").join(":");

/** With less work for a process that ends soon. */
const JAVA_FLAGS = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"];

const compileJava = (folder: string) => [
  ...[
    "env",
    `JAVA_ARGS=${JAVA_FLAGS.join(" ")}`,
    findExecutable("ecj"),
    "-17",
    "-proc:none",
    "-cp",
    JARS,
    "-d",
    folder,
  ],
  ...[`${HERE}/Netty.java`, `${HERE}/JavaHttpClient.java`],
];

const runJava = (name: string) => (folder: string) => [
  ...[findExecutable("java"), ...JAVA_FLAGS],
  ...["-cp", `${folder}:${JARS}`, name],
];

const perl = (name: string) => () => [findExecutable("perl"), `${HERE}/${name}.pl`];
const python = (name: string) => () => [PYTHON, `${HERE}/${name}.py`];

/** The clients. */
export const CLIENTS: readonly Client[] = [
  {
    name: "Protocol::WebSocket",
    language: "Perl",
    talks: (["75", "76", "8", "13"] as const).map((version) => ({ version, handshakes: RANDOM })),
    command: perl("protocol_websocket"),
  },
  {
    name: "Mojolicious",
    language: "Perl",
    talks: [{
      version: "13",
      compressions: NO_HINT,
      compressedEchoes: 6,
      lacks: ["answer"],
    }],
    command: perl("mojolicious"),
  },
  {
    name: "websocket",
    language: "Ruby",
    talks: (["75", "76", "7", "8", "13"] as const).map((version) => ({
      version,
      handshakes: RANDOM,
      lacks: version === "76" ? ["subprotocol"] : [],
    })),
    command: () => [findExecutable("ruby"), `${HERE}/websocket.rb`],
  },
  {
    name: "Netty",
    language: "Java",
    talks: [
      { version: "76", handshakes: RANDOM, lacks: ["large"] },
      { version: "7", handshakes: RANDOM, compressions: NO_HINT },
      { version: "8", handshakes: RANDOM, compressions: NO_HINT },
      { version: "13", compressions: NO_HINT },
    ],
    compile: compileJava,
    command: runJava("Netty"),
  },
  {
    name: "java.net.http",
    language: "Java",
    talks: [{ version: "13" }],
    compile: compileJava,
    command: runJava("JavaHttpClient"),
  },
  {
    name: "websockets",
    language: "Python",
    talks: [{ version: "13", compressions: ALL }],
    command: python("python_websockets"),
  },
  {
    name: "aiohttp",
    language: "Python",
    talks: [{ version: "13", compressions: ALL, lacks: ["reason"] }],
    command: python("python_aiohttp"),
  },
  {
    name: "websocket-client",
    language: "Python",
    talks: [{ version: "13" }],
    command: python("python_websocket_client"),
  },
  {
    name: "libsoup",
    language: "C, through Python",
    talks: [{ version: "13", compressions: ALL, lacks: ["ping"] }],
    command: python("libsoup"),
  },
  {
    name: "libwebsockets",
    language: "C",
    talks: [{ version: "13", lacks: ["answer"] }],
    compile: (folder) => [
      ...[findExecutable("gcc"), `${HERE}/libwebsockets.c`, "-lwebsockets"],
      ...["-o", `${folder}/libwebsockets`],
    ],
    command: (folder) => [`${folder}/libwebsockets`],
  },
  {
    name: "lua-http",
    language: "Lua",
    talks: [{ version: "13", lacks: ["pong"] }],
    command: () => [findExecutable("lua5.2"), `${HERE}/lua_http.lua`],
  },
  {
    name: "Mono",
    language: "C#",
    talks: [{ version: "13", lacks: ["ping"] }],
    compile: (folder) => [findExecutable("mcs"), `-out:${folder}/Mono.exe`, `${HERE}/Mono.cs`],
    command: (folder) => [findExecutable("mono"), `${folder}/Mono.exe`],
  },
];
