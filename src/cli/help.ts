/**
 * The help of the command line.
 *
 * @module
 */
import { type Command, COMMANDS, type OptionRow, OPTIONS } from "./options_table.ts";

const EXIT_CODES = [
  "Exit codes:",
  "  0  the connection was opened and closed normally; probe: the server speaks a version",
  "  1  it could not be opened, was lost, or was closed with an error",
  "  2  the command line is wrong",
];

/** Returns the help of all commands, or of one. */
export function helpText(command?: Command): string {
  const lines = command === undefined ? overview() : commandHelp(command);
  return [...lines, "", ...EXIT_CODES].join("\n");
}

function overview(): string[] {
  return [
    "Usage: waterspout COMMAND [options]",
    "",
    "Commands:",
    ...Object.entries(COMMANDS).map(([name, help]) => `  ${name.padEnd(8)}  ${help}`),
    "",
    "waterspout COMMAND --help lists the options of a command.",
  ];
}

function commandHelp(command: Command): string[] {
  const rows = OPTIONS[command].map((row) => [forms(row), row.help] as const);
  const width = Math.max(...rows.map(([form]) => form.length));
  return [
    `Usage: waterspout ${command} ${command === "serve" ? "" : "URL "}[options]`,
    "",
    `${COMMANDS[command][0]?.toUpperCase()}${COMMANDS[command].slice(1)}.`,
    "",
    "Options:",
    ...rows.map(([form, help]) => `  ${form.padEnd(width)}  ${help}`),
    ...(command === "connect" ? ["", ...CONNECT_NOTES] : []),
  ];
}

const CONNECT_NOTES = [
  "On a terminal, received messages begin with <. In a pipe, each line of the input is a message,",
  "and each received message is printed as it came, a binary one in hexadecimal digits.",
];

function forms({ name, letter, value, repeats }: OptionRow): string {
  const short = letter === undefined ? "    " : `-${letter}, `;
  return `${short}--${name}${value === undefined ? "" : ` ${value}`}${repeats ? " …" : ""}`;
}
