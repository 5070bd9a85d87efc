/**
 * A client of any version on a TCP connection, light enough for thousands of them.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { closeFrame, openingHandshake, pongFrame, textFrame, WireReader } from "./wire_client.ts";

/** Options of a connection. */
export interface WireSocketOptions {
  /** The port on 127.0.0.1. */
  readonly port: number;
  /** The path. */
  readonly path: string;
  /** The version to speak. */
  readonly version: WebSocketVersion;
  /** Called with each message. */
  readonly onMessage?: (message: string | Uint8Array) => void;
}

/** One client. It answers pings. Every test that opens one ends it with `destroy`. */
export class WireSocket {
  /** The version that it speaks. */
  readonly version: WebSocketVersion;
  /** Whether the connection is gone. */
  isGone = false;
  readonly #socket: Socket;

  private constructor(socket: Socket, version: WebSocketVersion) {
    this.#socket = socket;
    this.version = version;
  }

  /** Connects. Resolves after the handshake. Rejects if the server refuses it. */
  static open({ port, path, version, onMessage }: WireSocketOptions): Promise<WireSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.setNoDelay(true);
        socket.write(openingHandshake(path, version, { host: `127.0.0.1:${port}` }));
      });
      const client = new WireSocket(socket, version);
      const reader = new WireReader(version, {
        open: () => resolve(client),
        message: (message) => onMessage?.(message),
        ping: (payload) => socket.write(pongFrame(payload)),
      });
      socket.on("data", (chunk) => {
        try {
          reader.read(chunk);
        } catch (error) {
          reject(error);
          socket.destroy();
        }
      });
      socket.on("error", reject);
      socket.on("close", () => {
        client.isGone = true;
        reject(new Error("The connection was closed"));
      });
    });
  }

  /** Sends a text. */
  send(text: string): void {
    this.#socket.write(textFrame(text, this.version));
  }

  /** Sends a close frame and FIN. The close frame has a code if the version has close codes. */
  close(code: number): void {
    this.#socket.end(closeFrame(code, this.version));
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#socket.destroy();
  }
}
