/**
 * A handler that records its events.
 *
 * @module
 */
import { WebSocketHandler } from "../../src/server/handler.ts";

/** Records `open`, `text …`, `binary 1,2`, `ping …`, `pong …`, `drain` and `close 1000 …`. */
export class Recording extends WebSocketHandler<string[]> {
  override open(...args: string[]): void | Promise<void> {
    this.note(["open", ...args].join(" "));
  }

  onMessage(message: string | Uint8Array): void | Promise<void> {
    this.note(`${typeof message === "string" ? "text" : "binary"} ${message}`);
  }

  override onPing(payload: Uint8Array): void {
    this.note(`ping ${payload}`);
  }

  override onPong(payload: Uint8Array): void {
    this.note(`pong ${payload}`);
  }

  override onDrain(): void {
    this.note("drain");
  }

  override onClose(): void | Promise<void> {
    this.note(`close ${this.closeCode ?? ""} ${this.closeReason}`.trim());
  }

  /** Adds a line to the route's list. */
  note(line: string): void {
    this.options.push(line);
  }
}
