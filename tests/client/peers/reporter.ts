/**
 * Tells a test what the application of an echo server receives. The test listens on a port, and sets
 * the variables of the environment. Without them, nothing is reported.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { connect, type Socket } from "node:net";
import process from "node:process";

/** The variable with the port of the test. */
export const REPORT_PORT = "WATERSPOUT_REPORT_PORT";

/** The variable with the size of the largest message, in bytes. */
export const MESSAGE_LIMIT = "WATERSPOUT_MESSAGE_LIMIT";

/** The longest payload that is reported as it is, in bytes. */
const SHOWN = 40;

/** The size of the largest message, in bytes. Default: 16 MiB. */
export const messageLimit: number = Number(process.env[MESSAGE_LIMIT] ?? 16 * 1024 * 1024);

let connection: Socket | undefined;
/** The lines of this turn. They are sent together, so that nothing of a chunk comes after its close. */
let lines = "";

function send(path: string | null | undefined, event: string): void {
  const port = process.env[REPORT_PORT];
  if (port === undefined || typeof path !== "string") return;
  const socket = connection ??= connect(Number(port), "127.0.0.1");
  if (lines === "") {
    queueMicrotask(() => {
      socket.write(lines);
      lines = "";
    });
  }
  lines += `${JSON.stringify([path, event])}\n`;
}

/** Describes a message: its type, its length and its bytes, or the hash of many bytes. */
export function describeMessage(message: string | Uint8Array): string {
  const isText = typeof message === "string";
  const bytes = isText ? new TextEncoder().encode(message) : message;
  const short = Array.from(bytes.subarray(0, SHOWN), (byte) => byte.toString(16).padStart(2, "0"));
  const shown = bytes.length > SHOWN
    ? createHash("sha1").update(bytes).digest("hex")
    : short.join("");
  return `${isText ? "text" : "binary"} ${bytes.length} ${shown}`;
}

/**
 * Reports a message.
 *
 * @param path The path and query of the handshake, which the test has chosen, if it has come.
 */
export function reportMessage(path: string | null | undefined, message: string | Uint8Array): void {
  send(path, describeMessage(message));
}

/** Reports the end of a connection, with the close code that the application is told. */
export function reportClose(path: string | null | undefined, code: number, reason = ""): void {
  send(path, `close ${code} ${reason}`.trim());
}
