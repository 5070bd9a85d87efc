/**
 * A client of the soak test. It sends numbered messages, and each must come back once and in order.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import { WEBSOCKET_VERSIONS, type WebSocketVersion } from "../../src/handshake/versions.ts";
import { Hixie } from "../../src/protocol/hixie.ts";
import { Hybi } from "../../src/protocol/hybi.ts";
import { Output } from "../../src/protocol/output.ts";
import type { Protocol } from "../../src/protocol/protocol.ts";
import { makeOpening } from "../support/memory_client.ts";

const LIMITS = { maxMessageSize: 32 * 1024 * 1024, maxFragments: 1 << 17 };

/** When to give up a half-open socket, in milliseconds. It is longer than the server waits. */
const VANISHED = 30_000;

/** The counters of a soak test. */
export interface Counters {
  opened: number;
  messages: number;
  /** How many messages are in flight. */
  pending: number;
  bytes: number;
  faults: Record<string, number>;
  violations: string[];
  /** The round-trip times of messages in milliseconds, while they are measured. */
  trips: number[] | null;
}

/** How a client ends, or what disturbs it. */
export type Fault = "reset" | "half-open" | "cut frame" | "stall" | "throw" | "fin" | "close";

/** One connection. */
export class SoakClient {
  readonly #counters: Counters;
  readonly #version: WebSocketVersion;
  readonly #startedAt = performance.now();
  readonly #socket: Socket;
  readonly #protocol: Protocol;
  readonly #expected: { text: string; at: number }[] = [];
  /** The head of the response, until it is complete. */
  #head: string | null = "";
  #proofSize: number;
  /** Whether messages may be lost from now on. */
  #harmed = false;
  #closed = false;
  readonly opened: Promise<void>;
  #open: () => void = () => {};

  constructor(port: number, version: WebSocketVersion, counters: Counters) {
    this.#counters = counters;
    this.#version = version;
    const isDraft = version === "draft75" || version === "draft76";
    this.#protocol = isDraft
      ? new Hixie(LIMITS, { version })
      : new Hybi(LIMITS, { role: "client" });
    this.#proofSize = version === "draft76" ? 16 : 0;
    this.opened = new Promise((resolve) => this.#open = resolve);
    const localAddress = `127.0.0.${2 + Math.floor(Math.random() * 60)}`;
    this.#socket = connect({ port, host: "127.0.0.1", localAddress });
    this.#socket.on("error", () => {});
    this.#socket.on("data", (chunk: Uint8Array) => this.#received(chunk));
    this.#socket.on("close", () => this.#gone());
    const opening = makeOpening(version, { host: `127.0.0.1:${port}` });
    this.#socket.write(opening.head);
    if (opening.key3.length > 0) this.#socket.write(opening.key3);
  }

  /** Whether nothing can be sent any more. */
  get isOver(): boolean {
    return this.#closed || this.#harmed;
  }

  /** Whether the connection is open. */
  get isOpen(): boolean {
    return this.#head === null && !this.isOver;
  }

  /** How many messages have not come back. */
  get pending(): number {
    return this.#expected.length;
  }

  /** Sends a text, and expects its echo. */
  send(text: string): void {
    if (this.isOver) return;
    this.#expected.push({ text, at: performance.now() });
    this.#counters.pending++;
    this.#write((output) => this.#protocol.writeText(output, text));
  }

  /** Acts like a bad client or a bad network. */
  suffer(fault: Fault): void {
    if (this.isOver) return;
    this.#counters.faults[fault] = (this.#counters.faults[fault] ?? 0) + 1;
    if (fault === "stall") return this.#stall();
    this.#harm();
    if (fault === "reset") this.#socket.resetAndDestroy();
    else if (fault === "fin") this.#socket.end();
    else if (fault === "half-open") this.#vanish();
    else if (fault === "throw") this.#write((output) => this.#protocol.writeText(output, "throw"));
    else if (fault === "close") {
      this.#write((output) => this.#protocol.writeClose(output, 1000, ""));
      this.#socket.end();
    } else {
      const output = new Output();
      this.#protocol.writeText(output, "a frame that is cut off");
      this.#socket.write(output.take().slice(0, 9));
      setTimeout(() => this.#socket.resetAndDestroy(), 5);
    }
  }

  /** Closes normally, after all messages have come back. */
  leave(): void {
    if (this.#closed) return;
    this.#harm();
    this.#write((output) => this.#protocol.writeClose(output, 1000, ""));
    this.#socket.end();
  }

  /** Closes the socket at once. */
  destroy(): void {
    this.#harm();
    this.#socket.destroy();
  }

  /** Accepts the loss of messages from now on. */
  #harm(): void {
    if (!this.#harmed && !this.#closed) this.#counters.pending -= this.pending;
    this.#harmed = true;
  }

  /** Stops sending and reading. While paused, it does not notice that the server has given up. */
  #vanish(): void {
    this.#socket.pause();
    setTimeout(() => this.destroy(), VANISHED);
  }

  #stall(): void {
    this.#socket.pause();
    setTimeout(() => this.#socket.resume(), 300);
  }

  #write(write: (output: Output) => void): void {
    const output = new Output();
    write(output);
    this.#socket.write(output.take());
  }

  #received(chunk: Uint8Array): void {
    let bytes = new Uint8Array(chunk);
    if (this.#head !== null) {
      const rest = this.#readHead(bytes);
      if (rest === null) return;
      bytes = rest;
    }
    if (this.#closed) return;
    this.#protocol.receive(bytes, true, {
      text: (message) => this.#echoed(message),
      binary: () => this.#violated("a binary message"),
      ping: (payload) => {
        this.#write((output) => this.#protocol.writePong(output, payload));
        return true;
      },
      pong: () => true,
      close: (code, reason) => {
        if (!this.#harmed) this.#violated(`a close frame: ${code} ${reason}`);
        this.#socket.end();
        return false;
      },
    });
  }

  #readHead(bytes: Uint8Array): Uint8Array<ArrayBuffer> | null {
    this.#head += String.fromCharCode(...bytes);
    const end = this.#head?.indexOf("\r\n\r\n") ?? -1;
    const head = this.#head ?? "";
    if (end === -1 || head.length < end + 4 + this.#proofSize) return null;
    if (!head.startsWith("HTTP/1.1 101")) this.#violated(head.slice(0, 60));
    this.#head = null;
    this.#counters.opened++;
    this.#open();
    return Uint8Array.from(head.slice(end + 4 + this.#proofSize), (c) => c.charCodeAt(0));
  }

  #echoed(message: string): boolean {
    const expected = this.#expected.shift();
    if (!this.#harmed) this.#counters.pending--;
    this.#counters.messages++;
    this.#counters.bytes += message.length;
    if (expected === undefined || message !== expected.text) {
      return this.#violated(`${message.slice(0, 40)} instead of ${expected?.text.slice(0, 40)}`);
    }
    this.#counters.trips?.push(performance.now() - expected.at);
    return true;
  }

  #gone(): void {
    this.#closed = true;
    this.#open();
    if (this.#harmed) return;
    this.#counters.pending -= this.pending;
    const age = Math.round(performance.now() - this.#startedAt);
    const state = this.#head === null
      ? `with ${this.pending} messages pending`
      : "before it opened";
    this.#violated(`a connection of ${this.#version} ended after ${age} ms ${state}`);
  }

  #violated(what: string): boolean {
    if (!this.#harmed) this.#counters.violations.push(what);
    return true;
  }
}

/** The initial counters. */
export function makeTally(): Counters {
  return { opened: 0, messages: 0, pending: 0, bytes: 0, faults: {}, violations: [], trips: null };
}

let started = 0;

/** Starts clients, with each version in turn. */
export function start(port: number, counters: Counters): SoakClient {
  // The remainder is a valid index.
  const version = WEBSOCKET_VERSIONS[started++ % WEBSOCKET_VERSIONS.length]!;
  return new SoakClient(port, version, counters);
}

/** Opens a number of clients, a hundred at a time. */
export async function openAll(
  port: number,
  counters: Counters,
  count: number,
): Promise<SoakClient[]> {
  const clients: SoakClient[] = [];
  while (clients.length < count) {
    const size = Math.min(100, count - clients.length);
    const batch = Array.from({ length: size }, () => start(port, counters));
    clients.push(...batch);
    await Promise.all(batch.map((client) => client.opened));
  }
  return clients;
}
