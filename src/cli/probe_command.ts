/**
 * The command `probe`: shows which versions, extensions and subprotocols a server supports, and how
 * fast it answers.
 *
 * @module
 */
import type { ProbePlan } from "./arguments.ts";
import { coloured } from "./printer.ts";
import { Probe, type ProbeReport, WELL_KNOWN } from "./probe.ts";
import { connectOptions } from "./reach_options.ts";
import type { Terminal } from "./terminal.ts";

/** Runs the command. @returns The exit code. */
export async function probeCommand(plan: ProbePlan, terminal: Terminal): Promise<number> {
  const { subprotocols, ...options } = connectOptions(plan, terminal);
  const offered = subprotocols?.length ? subprotocols : WELL_KNOWN;
  const probe = new Probe(plan.url, options, plan.timeout, terminal.clock);
  const report = await probe.report(plan.versions, offered);
  terminal.print(plan.json ? JSON.stringify(report) : table(report, terminal));
  return report.versions.some(({ opens }) => opens) ? 0 : 1;
}

function table(
  { url, versions, extensions, subprotocols }: ProbeReport,
  terminal: Terminal,
): string {
  const ms = (time: number | undefined) => time === undefined ? "–" : `${time.toFixed(2)} ms`;
  const lines = versions.map(({ version, opens, handshake, echo, reason = "" }) =>
    coloured(
      row(version, opens ? "yes" : "no", ms(handshake), ms(echo), shorten(reason)),
      opens ? "green" : "red",
      terminal,
    )
  );
  return [
    url,
    "",
    row("version", "opens", "handshake", "echo", ""),
    ...lines,
    "",
    `extensions    ${extensions.join(", ") || "none"}`,
    `subprotocols  ${subprotocols === "any" ? "any" : subprotocols.join(", ") || "none"}`,
  ].join("\n");
}

function row(
  version: string,
  opens: string,
  handshake: string,
  echo: string,
  rest: string,
): string {
  const cells = [
    version.padEnd(8),
    opens.padEnd(5),
    handshake.padStart(10),
    echo.padStart(10),
    rest,
  ];
  return cells.join("  ").trimEnd();
}

function shorten(text: string): string {
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
