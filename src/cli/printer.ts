/**
 * Prints the events of a connection: as text on a terminal, as plain lines in a pipe, or as JSON.
 *
 * @module
 */
import type { WebSocketClientConnection } from "../client/client_connection.ts";
import type { ConnectionEnd } from "../connection/connection_end.ts";
import type { Terminal } from "./terminal.ts";

/** Colours of a terminal, by the number in their escape sequence. */
const COLOURS = { dim: 2, red: 31, green: 32, cyan: 36 } as const;

/** All control characters except HTAB and LF. A server must not control the terminal. */
// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/** How many bytes of a binary message are shown on a terminal. */
const MOST_BYTES = 64;

/** Returns a text with a colour, if the terminal has colours. */
export function coloured(
  text: string,
  colour: keyof typeof COLOURS,
  terminal: Pick<Terminal, "coloured">,
): string {
  return terminal.coloured ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text;
}

/** Replaces control characters. */
export function escapeControls(text: string): string {
  return text.replace(
    CONTROLS,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/** Returns bytes as hexadecimal digits. */
export function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Returns bytes in Base64. */
export function base64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** Prints the events of a client. */
export class Printer {
  readonly #terminal: Terminal;
  readonly #json: boolean;

  /** @param terminal Where to print. @param json Whether to print JSON. */
  constructor(terminal: Terminal, json: boolean) {
    this.#terminal = terminal;
    this.#json = json;
  }

  /** Prints that the connection is open. */
  opened(url: string, connection: WebSocketClientConnection): void {
    const { version, selectedSubprotocol: subprotocol, headers } = connection;
    const extensions = headers.get("sec-websocket-extensions") ?? undefined;
    if (this.#json) return this.#event({ type: "open", url, version, subprotocol, extensions });
    const details = [version, subprotocol, extensions].filter((detail) => detail !== undefined);
    this.#note(`connected to ${url} (${details.join(", ")})`);
  }

  /** Prints a message. */
  message(message: string | Uint8Array): void {
    if (this.#json) {
      return this.#event(
        typeof message === "string"
          ? { type: "message", text: message }
          : { type: "message", binary: base64(message) },
      );
    }
    if (!this.#terminal.interactive) {
      this.#terminal.print(typeof message === "string" ? message : hexadecimal(message));
      return;
    }
    const shown = typeof message === "string" ? escapeControls(message) : describeBytes(message);
    this.#terminal.print(coloured(`< ${shown}`, "cyan", this.#terminal));
  }

  /** Prints a pong. */
  pong(payload: Uint8Array): void {
    if (this.#json) this.#event({ type: "pong", binary: base64(payload) });
    else this.#note("pong");
  }

  /** Prints how the connection ended. */
  closed({ by, code, reason }: ConnectionEnd, normal: boolean): void {
    if (this.#json) return this.#event({ type: "close", code, reason, by });
    const words = `closed by ${by}: ${code}${reason === "" ? "" : ` ${escapeControls(reason)}`}`;
    this.#note(words, normal ? "dim" : "red");
  }

  #note(text: string, colour: keyof typeof COLOURS = "dim"): void {
    this.#terminal.warn(coloured(text, colour, this.#terminal));
  }

  #event(event: object): void {
    this.#terminal.print(JSON.stringify(event));
  }
}

function describeBytes(bytes: Uint8Array): string {
  const more = bytes.length > MOST_BYTES ? "…" : "";
  return `(${bytes.length} bytes) ${hexadecimal(bytes.subarray(0, MOST_BYTES))}${more}`;
}
