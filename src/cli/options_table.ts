/**
 * The options of each command. The parser and the help use the same table.
 *
 * @module
 */

/** The commands. */
export type Command = "connect" | "probe" | "serve";

/** One option. */
export interface OptionRow {
  /** The name, without the dashes. */
  readonly name: string;
  /** The letter of its short form. */
  readonly letter?: string;
  /** The name of its value in the help; `undefined` if the option takes no value. */
  readonly value?: string;
  /** Whether it may be repeated. */
  readonly repeats?: boolean;
  /** What it does, in one line. */
  readonly help: string;
}

const JSON_ROW: OptionRow = { name: "json", help: "print JSON, one line for each event" };
const HELP_ROW: OptionRow = { name: "help", letter: "h", help: "print this help" };

const CERTIFICATE_ROWS: readonly OptionRow[] = [
  { name: "cert", value: "FILE", help: "the certificate chain in PEM; needs --key" },
  { name: "key", value: "FILE", help: "the private key in PEM" },
];

/** What `connect` and `probe` have in common. */
const CLIENT_ROWS: readonly OptionRow[] = [
  {
    name: "header",
    letter: "H",
    value: "'Name: value'",
    repeats: true,
    help: "a header field to send",
  },
  {
    name: "subprotocol",
    letter: "s",
    value: "NAME",
    repeats: true,
    help: "a subprotocol to offer",
  },
  { name: "origin", letter: "o", value: "ORIGIN", help: "the origin to send, as a browser would" },
  {
    name: "proxy",
    value: "URL",
    help: "an http:, https: or socks5: proxy; env reads HTTPS_PROXY, NO_PROXY …",
  },
  { name: "max-redirects", value: "N", help: "how many redirects to follow; default: 0" },
  { name: "ca", value: "FILE", help: "the certificates to trust, in PEM" },
  { name: "insecure", letter: "k", help: "accept any certificate" },
  ...CERTIFICATE_ROWS,
];

/** The options of each command, in the order of the help. */
export const OPTIONS: Readonly<Record<Command, readonly OptionRow[]>> = {
  connect: [
    {
      name: "version",
      letter: "V",
      value: "VERSION",
      help: "rfc6455 (default), hybi-08, hybi-07, draft76 or draft75",
    },
    ...CLIENT_ROWS,
    { name: "compress", help: "offer permessage-deflate" },
    { name: "send", letter: "x", value: "TEXT", repeats: true, help: "a message to send first" },
    { name: "slash", help: "lines /ping and /close [CODE [REASON]] are commands" },
    { name: "count", letter: "n", value: "N", help: "close after N messages" },
    {
      name: "wait",
      letter: "w",
      value: "SECONDS",
      help: "end after so much silence behind the input; default: 1; or forever",
    },
    { name: "timeout", value: "SECONDS", help: "how long connecting may take; default: 10" },
    JSON_ROW,
    HELP_ROW,
  ],
  probe: [
    {
      name: "version",
      letter: "V",
      value: "VERSION",
      repeats: true,
      help: "a version to try; default: all",
    },
    ...CLIENT_ROWS,
    { name: "timeout", value: "SECONDS", help: "how long each step may take; default: 3" },
    { name: "json", help: "print JSON" },
    HELP_ROW,
  ],
  serve: [
    { name: "port", letter: "p", value: "PORT", help: "default: 8888; 0 for any free port" },
    { name: "host", value: "HOST", help: "the address to listen on; default: 127.0.0.1" },
    {
      name: "version",
      letter: "V",
      value: "VERSION",
      repeats: true,
      help: "a version to speak; default: all",
    },
    {
      name: "subprotocol",
      letter: "s",
      value: "NAME",
      repeats: true,
      help: "a subprotocol to accept",
    },
    ...CERTIFICATE_ROWS,
    JSON_ROW,
    HELP_ROW,
  ],
};

/** A line for each command. */
export const COMMANDS: Readonly<Record<Command, string>> = {
  connect: "send lines to a server, and print its messages",
  probe: "tell which versions, extensions and subprotocols a server speaks",
  serve: "run an echo server",
};

/** Returns whether a text is a command. */
export function isCommand(text: string | undefined): text is Command {
  return text !== undefined && Object.hasOwn(COMMANDS, text);
}
