import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { parseArguments, type Plan, UsageError } from "../../src/cli/arguments.ts";
import { OPTIONS } from "../../src/cli/options_table.ts";
import { WEBSOCKET_VERSIONS } from "../../src/handshake/versions.ts";

const URL = "ws://a.example/";

const REACH = {
  url: URL,
  headers: [],
  subprotocols: [],
  origin: undefined,
  proxy: undefined,
  maxRedirects: 0,
  ca: undefined,
  insecure: false,
  identity: undefined,
  json: false,
};
const CONNECT = {
  command: "connect",
  ...REACH,
  timeout: 10_000,
  version: "rfc6455",
  compress: false,
  send: [],
  slash: false,
  count: Infinity,
  wait: 1000,
};
const PROBE = { command: "probe", ...REACH, timeout: 3000, versions: WEBSOCKET_VERSIONS };
const SERVE = {
  command: "serve",
  port: 8888,
  host: "127.0.0.1",
  versions: WEBSOCKET_VERSIONS,
  subprotocols: [],
  identity: undefined,
  json: false,
};

/** Arguments, and the plan that they make. */
const plans: readonly (readonly [args: readonly string[], plan: object])[] = [
  [["connect", URL], CONNECT],
  [["connect", "--version", "draft76", URL], { ...CONNECT, version: "draft76" }],
  [["connect", "--version=hybi-08", URL], { ...CONNECT, version: "hybi-08" }],
  [["connect", URL, "-V", "7"], { ...CONNECT, version: "hybi-07" }],
  [["connect", URL, "-V", "13"], CONNECT],
  [
    ["connect", URL, "-H", "A: b", "--header=C:d:e", "--header", " E : "],
    { ...CONNECT, headers: [["A", "b"], ["C", "d:e"], ["E", ""]] },
  ],
  [["connect", URL, "-s", "a", "--subprotocol", "b"], { ...CONNECT, subprotocols: ["a", "b"] }],
  [["connect", URL, "-o", "http://b"], { ...CONNECT, origin: "http://b" }],
  [["connect", URL, "--proxy", "env"], { ...CONNECT, proxy: "env" }],
  [["connect", URL, "--max-redirects", "5"], { ...CONNECT, maxRedirects: 5 }],
  [["connect", URL, "--ca", "a.pem", "-k"], { ...CONNECT, ca: "a.pem", insecure: true }],
  [
    ["connect", URL, "--cert", "c.pem", "--key", "k.pem"],
    { ...CONNECT, identity: { cert: "c.pem", key: "k.pem" } },
  ],
  [["connect", URL, "--timeout", "0.5", "--json"], { ...CONNECT, timeout: 500, json: true }],
  [
    ["connect", URL, "--compress", "--slash", "-n", "3"],
    { ...CONNECT, compress: true, slash: true, count: 3 },
  ],
  [["connect", URL, "-w", "0"], { ...CONNECT, wait: 0 }],
  [["connect", URL, "--wait", "forever"], { ...CONNECT, wait: Infinity }],
  [
    ["connect", URL, "-x", "--help", "--send", "", "-x", "b"],
    { ...CONNECT, send: ["--help", "", "b"] },
  ],
  [["connect", "--", URL], CONNECT],
  [["probe", URL], PROBE],
  [
    ["probe", URL, "-V", "draft75", "-V", "13", "--timeout", "1"],
    { ...PROBE, versions: ["draft75", "rfc6455"], timeout: 1000 },
  ],
  [["serve"], SERVE],
  [
    ["serve", "-p", "0", "--host", "::1", "-s", "chat", "--json"],
    { ...SERVE, port: 0, host: "::1", subprotocols: ["chat"], json: true },
  ],
];

describe("the command line", () => {
  for (const [args, plan] of plans) {
    test(args.join(" "), () => assertEquals(parseArguments(args), plan as Plan));
  }

  test("prints help, for all commands or for one", () => {
    const help = (...args: string[]) => {
      const plan = parseArguments(args);
      return plan.command === "help" ? plan.text.split("\n")[0] : plan.command;
    };
    assertEquals(help(), "Usage: waterspout COMMAND [options]");
    assertEquals(help("--help"), "Usage: waterspout COMMAND [options]");
    assertEquals(help("help", "serve"), "Usage: waterspout serve [options]");
    assertEquals(help("connect", "-h"), "Usage: waterspout connect URL [options]");
    assertEquals(help("probe", URL, "--help"), "Usage: waterspout probe URL [options]");
  });

  test("lists each option once, in lines of 100 characters", () => {
    for (const [command, rows] of Object.entries(OPTIONS)) {
      const forms = rows.flatMap(({ name, letter }) => [name, ...(letter ? [letter] : [])]);
      assertEquals(forms.length, new Set(forms).size, command);
      const plan = parseArguments([command, "--help"]);
      const text = plan.command === "help" ? plan.text : "";
      for (const { name } of rows) assertEquals(text.includes(` --${name}`), true, name);
      assertEquals(text.split("\n").filter((line) => line.length > 100), []);
    }
  });
});

/** Wrong arguments, and the one line that says what to do. */
const wrong: readonly (readonly [args: readonly string[], says: string])[] = [
  [["conect", URL], 'unknown command "conect"; did you mean connect?; the commands are connect,'],
  [["--version"], 'unknown command "--version"; the commands are connect, probe, serve'],
  [
    ["connect", URL, "--verison", "8"],
    "unknown option --verison; did you mean --version?; see waterspout connect --help",
  ],
  [["connect", URL, "--verison=8"], "unknown option --verison; did you mean --version?"],
  [["connect", URL, "-z"], "unknown option -z; see waterspout connect --help"],
  [["serve", "--compress"], "unknown option --compress; see waterspout serve --help"],
  [["connect"], "connect needs a URL such as ws://host/path"],
  [["connect", "a.example:80/b"], '"a.example:80/b" is no URL; did you mean ws://a.example:80/b?'],
  [["probe", URL, "hello"], 'unexpected argument "hello"'],
  [["serve", "8080"], 'unexpected argument "8080"'],
  [["connect", URL, "--origin"], "--origin needs a value: --origin ORIGIN"],
  [["connect", URL, "--origin="], "--origin must not be empty"],
  [["connect", URL, "--json=yes"], '--json takes no value, got "yes"'],
  [["connect", URL, "-o", "a", "-o", "b"], "--origin must not be repeated"],
  [["connect", URL, "-V", "14"], "--version must be one of rfc6455, hybi-08, hybi-07, draft76"],
  [["connect", URL, "-V", "8", "-V", "7"], "--version must not be repeated"],
  [["connect", URL, "-H", "a"], "--header must be 'Name: value', got \"a\""],
  [["connect", URL, "-H", ": a"], "--header must be 'Name: value', got \": a\""],
  [["connect", URL, "--count", "0"], '--count must be an integer from 1, got "0"'],
  [["connect", URL, "--count", "1.5"], '--count must be an integer from 1, got "1.5"'],
  [["connect", URL, "--wait", "long"], '--wait must be a number of seconds from 0, got "long"'],
  [["connect", URL, "--wait", "-1"], '--wait must be a number of seconds from 0, got "-1"'],
  [["connect", URL, "--timeout", " "], "--timeout must be a number of seconds from 0"],
  [["connect", URL, "--key", "a"], "expected both --cert and --key, got only --key"],
  [["serve", "--cert", "a"], "expected both --cert and --key, got only --cert"],
];

describe("a wrong command line is one line that says what to do", () => {
  for (const [args, says] of wrong) {
    test(args.join(" "), () => {
      const { message } = assertThrows(() => parseArguments(args), UsageError, says);
      assertEquals(/; (?:see waterspout \w+ --help|the commands are .*)$/.test(message), true);
      assertEquals(message.includes("\n"), false);
    });
  }
});
