/**
 * A TCP client that does nothing by itself. Tests tell it what to send and what to wait for.
 *
 * @module
 */
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** Where to connect. */
export interface RawClientOptions {
  /** The TCP port. Omit it with `path`. */
  readonly port?: number;
  /** The address. Default: `"127.0.0.1"`. */
  readonly host?: string;
  /** A unix socket's path, instead of a port. */
  readonly path?: string;
  /** Whether to use TLS. Every certificate is accepted. */
  readonly tls?: boolean;
}

/** The default time to wait for bytes, in milliseconds. */
const PATIENCE = 60_000;

/** One connection. Every test that opens one ends it with `destroy`. */
export class RawClient {
  /** Settles when the connection is gone in both directions. */
  readonly closed: Promise<void>;
  /** The error that ended the connection, such as a reset; none after FIN. */
  error: Error | undefined;
  readonly #socket: Socket;
  /** Received bytes that are not read yet. */
  #chunks: Uint8Array[] = [];
  #length = 0;
  #ended = false;
  #changed: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.#end();
        resolve();
      });
    });
    socket.on("data", (chunk: Uint8Array) => {
      // Not a Buffer: its slice does not copy, and assertEquals distinguishes it from a Uint8Array.
      this.#chunks.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
      this.#length += chunk.length;
      this.#changed();
    });
    socket.once("end", () => this.#end());
    socket.on("error", (error) => {
      if (!this.#ended) this.error = error;
      this.#end();
    });
  }

  /** The port of this end. */
  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  /** Connects; rejects with the system's error. */
  static connect(options: RawClientOptions): Promise<RawClient> {
    const { port = 0, host = "127.0.0.1", path, tls = false } = options;
    const where = path === undefined ? { port, host } : { path };
    // Half-open: the test, not the socket, decides when to send FIN.
    const how = { ...where, allowHalfOpen: true, rejectUnauthorized: false };
    return new Promise((resolve, reject) => {
      const socket = tls ? connectTls(how) : connectTcp(how);
      socket.once("error", reject);
      socket.once(tls ? "secureConnect" : "connect", () => {
        socket.off("error", reject);
        socket.setNoDelay(true);
        resolve(new RawClient(socket));
      });
    });
  }

  /** Sends bytes, or text as UTF-8. */
  write(data: Uint8Array | string): void {
    this.#socket.write(data);
  }

  /** The next `length` bytes. Rejects if they do not come. */
  async read(length: number, timeout: number = PATIENCE): Promise<Uint8Array> {
    await this.#until(() => this.#length >= length, `${length} bytes`, timeout);
    return this.#take(length);
  }

  /** The bytes up to and including `delimiter`: a text (as UTF-8) or the value of a byte. */
  async readThrough(delimiter: string | number, timeout: number = PATIENCE): Promise<Uint8Array> {
    const wanted = typeof delimiter === "number"
      ? Uint8Array.of(delimiter)
      : new TextEncoder().encode(delimiter);
    let end = -1;
    let searched = 0;
    const found = () => {
      const bytes = this.#join();
      end = indexOf(bytes, wanted, Math.max(0, searched - wanted.length + 1));
      searched = bytes.length;
      return end !== -1;
    };
    await this.#until(found, JSON.stringify(delimiter), timeout);
    return this.#take(end + wanted.length);
  }

  /** All bytes up to the end of the connection (FIN or reset; see `error`). */
  async readToEnd(timeout: number = PATIENCE): Promise<Uint8Array> {
    await this.#until(() => this.#ended, "the end of the connection", timeout);
    return this.#take(this.#length);
  }

  /** What has arrived and is not read yet. */
  get unread(): Uint8Array {
    return this.#join().slice();
  }

  /** Whether the peer has ended its direction or is gone. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Pauses or resumes reading from the socket. While paused, the peer's buffers fill up. */
  set paused(paused: boolean) {
    if (paused) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Sends FIN, and goes on receiving. */
  end(): void {
    this.#socket.end();
  }

  /** Resets the connection (RST), as a crashed client or a cut cable behind a proxy does. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Ends the connection at once; resolves when it is gone. */
  async destroy(): Promise<void> {
    this.#socket.destroy();
    await this.closed;
  }

  #end(): void {
    this.#ended = true;
    this.#changed();
  }

  /** Resolves when `arrived` returns a result. Rejects on a timeout or if the connection ends first. */
  #until(arrived: () => boolean, what: string, timeout: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        settle();
        reject(new Error(`Cannot read ${what}: ${why}; unread: ${describe(this.#join())}`));
      };
      const late = setTimeout(() => fail(`nothing for ${timeout} ms`), timeout);
      const settle = () => {
        clearTimeout(late);
        this.#changed = () => {};
      };
      const look = () => {
        if (arrived()) {
          settle();
          resolve();
        } else if (this.#ended) fail(this.error?.message ?? "the peer ended the connection");
      };
      this.#changed = look;
      look();
    });
  }

  #join(): Uint8Array {
    if (this.#chunks.length !== 1) {
      const joined = new Uint8Array(this.#length);
      let offset = 0;
      for (const chunk of this.#chunks) {
        joined.set(chunk, offset);
        offset += chunk.length;
      }
      this.#chunks = [joined];
    }
    return this.#chunks[0] ?? new Uint8Array();
  }

  #take(length: number): Uint8Array {
    const bytes = this.#join();
    this.#chunks = [bytes.subarray(length)];
    this.#length -= length;
    return bytes.slice(0, length);
  }
}

/** The first index at or after `from` where `wanted` is in `bytes`, or -1. */
function indexOf(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  const first = wanted[0] ?? 0;
  for (let at = bytes.indexOf(first, from); at !== -1; at = bytes.indexOf(first, at + 1)) {
    if (wanted.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}

/** Bytes as text for an error message: the first 64 in hexadecimal, and the total number. */
function describe(bytes: Uint8Array): string {
  const shown = Array.from(bytes.subarray(0, 64), (byte) => byte.toString(16).padStart(2, "0"));
  return `${bytes.length} bytes ${shown.join(" ")}${bytes.length > 64 ? " …" : ""}`;
}
