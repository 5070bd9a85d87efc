/**
 * A client of any version joined to an application in memory, for tests of topics: it keeps the
 * messages that it gets.
 *
 * @module
 */
import type { Application } from "../../src/application.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import {
  memoryPair,
  type MemoryPairOptions,
  type MemoryTransport,
} from "../../src/transport/memory.ts";
import { latin1Bytes } from "../support/bytes.ts";

/** The versions that a member may speak, oldest first. */
export const VERSIONS: readonly WebSocketVersion[] = [
  "draft75",
  "draft76",
  "hybi-07",
  "hybi-08",
  "rfc6455",
];

/** Everything that is scheduled in memory has happened: it is all microtasks. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** One client. */
export class Member {
  /** The messages that have arrived, in order. */
  readonly messages: (string | Uint8Array)[] = [];
  /** The close code that has arrived; 0 for a closing frame without one. */
  closeCode: number | undefined;
  /** Whether the server has ended the connection. */
  ended = false;
  readonly transport: MemoryTransport;
  readonly version: WebSocketVersion;
  #bytes: Uint8Array = new Uint8Array(0);
  #handshake = true;

  private constructor(transport: MemoryTransport, version: WebSocketVersion) {
    this.transport = transport;
    this.version = version;
    transport.events = {
      data: (chunk) => this.#read(chunk),
      drain() {},
      end: () => {
        this.ended = true;
        transport.end();
      },
      closed: () => this.ended = true,
    };
  }

  /** Connects to `path` and waits until it is open. */
  static async join(
    app: Application,
    path: string,
    version: WebSocketVersion,
    options?: MemoryPairOptions,
  ): Promise<Member> {
    const [server, client] = memoryPair(options);
    const member = new Member(client, version);
    app.accept(server);
    client.write(latin1Bytes(request(path, version)), true);
    await settled();
    return member;
  }

  /** Sends texts, in one piece. */
  send(...texts: string[]): void {
    this.transport.write(Uint8Array.from(texts.flatMap((text) => this.#frame(text))), true);
  }

  #frame(text: string): number[] {
    const payload = new TextEncoder().encode(text);
    if (isHixie(this.version)) return [0, ...payload, 0xff];
    // A masking key of zeros is allowed, and readable.
    return [0x81, 0x80 | payload.length, 0, 0, 0, 0, ...payload];
  }

  /** Takes the messages that have arrived out. */
  take(): (string | Uint8Array)[] {
    return this.messages.splice(0);
  }

  #read(chunk: Uint8Array): void {
    const bytes = new Uint8Array(this.#bytes.length + chunk.length);
    bytes.set(this.#bytes);
    bytes.set(chunk, this.#bytes.length);
    this.#bytes = bytes;
    if (this.#handshake) this.#readHandshake();
    while (!this.#handshake && this.#readFrame());
  }

  #readHandshake(): void {
    const text = String.fromCharCode(...this.#bytes);
    const end = text.indexOf("\r\n\r\n");
    const length = end + 4 + (this.version === "draft76" ? 16 : 0);
    if (end === -1 || this.#bytes.length < length) return;
    if (!text.startsWith("HTTP/1.1 101 ")) throw new Error(`Cannot join: ${text}`);
    this.#handshake = false;
    this.#bytes = this.#bytes.subarray(length);
  }

  #readFrame(): boolean {
    return isHixie(this.version) ? this.#readHixie() : this.#readHybi();
  }

  #readHixie(): boolean {
    if (this.#bytes[0] === 0xff && this.#bytes.length >= 2) {
      this.closeCode = 0;
      this.#bytes = this.#bytes.subarray(2);
      return true;
    }
    const end = this.#bytes.indexOf(0xff);
    if (end === -1) return false;
    this.messages.push(decode(this.#bytes.subarray(1, end)));
    this.#bytes = this.#bytes.subarray(end + 1);
    return true;
  }

  #readHybi(): boolean {
    const [first = 0, second = 0] = this.#bytes;
    if (this.#bytes.length < 2) return false;
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset);
    const header = second === 127 ? 10 : second === 126 ? 4 : 2;
    if (this.#bytes.length < header) return false;
    const length = second === 127
      ? Number(view.getBigUint64(2))
      : second === 126
      ? view.getUint16(2)
      : second;
    if (this.#bytes.length < header + length) return false;
    const payload = this.#bytes.slice(header, header + length);
    this.#bytes = this.#bytes.subarray(header + length);
    if (first === 0x81) this.messages.push(decode(payload));
    else if (first === 0x82) this.messages.push(payload);
    else if (first === 0x88) {
      this.closeCode = length === 0 ? 0 : new DataView(payload.buffer).getUint16(0);
    }
    return true;
  }
}

function isHixie(version: WebSocketVersion): boolean {
  return version === "draft75" || version === "draft76";
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

/** The opening handshake; draft76's keys are those of the draft's first example. */
function request(path: string, version: WebSocketVersion): string {
  const head = [`GET ${path} HTTP/1.1`, "Host: localhost", "Connection: Upgrade"];
  if (isHixie(version)) {
    head.push("Upgrade: WebSocket", "Origin: http://localhost");
    if (version === "draft75") return [...head, "", ""].join("\r\n");
    head.push("Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5");
    head.push("Sec-WebSocket-Key2: 12998 5 Y3 1  .P00");
    return [...head, "", "^n:ds[4U"].join("\r\n");
  }
  const number = { "hybi-07": 7, "hybi-08": 8, "rfc6455": 13 }[version as "rfc6455"];
  head.push("Upgrade: websocket", `Sec-WebSocket-Version: ${number}`);
  head.push("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==");
  return [...head, "", ""].join("\r\n");
}
