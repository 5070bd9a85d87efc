/**
 * An established connection without a handler. Its transport is in memory, the test controls its time, and
 * the events of its receiver are recorded.
 *
 * @module
 */
import { Connection } from "../../src/connection/connection.ts";
import type { ConnectionEnd } from "../../src/connection/connection_end.ts";
import {
  CLIENT,
  type ConnectionLimits,
  type ConnectionReceiver,
  SERVER,
} from "../../src/connection/connection_options.ts";
import { Traffic } from "../../src/connection/traffic.ts";
import { Writer } from "../../src/connection/writer.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { Hixie } from "../../src/protocol/hixie.ts";
import { Hybi } from "../../src/protocol/hybi.ts";
import type { Protocol } from "../../src/protocol/protocol.ts";
import { FakeClock } from "../../src/testing/fake_clock.ts";
import { TimingWheel } from "../../src/timing/timing_wheel.ts";
import {} from "../../src/timing/turns.ts";
import { timersOf } from "../../src/timing/clock_timers.ts";
import {
  memoryPair,
  type MemoryPairOptions,
  type MemoryTransport,
} from "../../src/transport/memory.ts";
import { settle } from "../support/settle.ts";

export { settle };

/** The two ends of a connection. */
export type RoleName = "server" | "client";

/** Records the events of a connection. A test sets whether it is behind, and whether it has room. */
export class Receiver implements ConnectionReceiver {
  /** `text …`, `closing`, `ended` and `gone`, in order. */
  readonly events: string[] = [];
  /** The sizes of the sent pings. */
  readonly pings: number[] = [];
  connection: Connection | null = null;
  isBehind = false;
  hasRoom = true;
  end: ConnectionEnd | undefined;

  text(message: string): boolean {
    return this.#note(`text ${message}`);
  }
  binary(message: Uint8Array): boolean {
    this.connection?.reader.keep(message);
    return this.#note(`binary ${message}`);
  }
  ping(payload: Uint8Array): boolean {
    this.connection?.pong(payload);
    return this.#note(`ping ${payload}`);
  }
  pong(payload: Uint8Array): boolean {
    return this.#note(`pong ${payload}`);
  }
  close(code: number | undefined, reason: string): boolean {
    if (this.isBehind) this.connection?.closeWaits(code, reason);
    else this.connection?.peerClosed(code, reason);
    return false;
  }
  violation(error: Error): void {
    this.#note(`violation ${error.message}`);
  }
  resume(): void {
    this.connection?.reader.parseHeld();
    this.connection?.settle();
  }
  pinged(payload: Uint8Array): void {
    this.pings.push(payload.length);
  }
  drained(): void {
    this.#note("drained");
  }
  closing(): void {
    this.#note("closing");
  }
  ended(end: ConnectionEnd): void {
    this.end = end;
    this.#note("ended");
  }
  gone(): void {
    this.#note("gone");
  }

  #note(event: string): boolean {
    this.events.push(event);
    return this.connection?.reader.mayParse ?? false;
  }
}

/** The options of a {@linkcode Subject}. */
export interface SubjectOptions {
  readonly role?: RoleName;
  readonly version?: WebSocketVersion;
  readonly limits?: Partial<ConnectionLimits>;
  readonly pair?: MemoryPairOptions;
}

const LIMITS: ConnectionLimits = {
  highWaterMark: 1000,
  maxBufferedAmount: 10_000,
  pingInterval: 0,
  pingTimeout: 0,
  idleTimeout: 0,
  closeTimeout: 5000,
};

/** A connection, and the far end of its transport. */
export class Subject {
  readonly clock: FakeClock = new FakeClock();
  readonly receiver: Receiver = new Receiver();
  readonly traffic: Traffic = new Traffic();
  readonly wheel: TimingWheel = new TimingWheel(this.clock);
  readonly protocol: Protocol;
  readonly connection: Connection;
  readonly writer: Writer;
  readonly transport: MemoryTransport;
  readonly far: MemoryTransport;
  /** What the far end has received: bytes in hexadecimal, `FIN`, `gone` and `reset`. */
  readonly heard: string[] = [];

  constructor(options: SubjectOptions = {}) {
    const { role = "server", version = "rfc6455" } = options;
    const limits = { ...LIMITS, ...options.limits };
    const [transport, far] = memoryPair(options.pair);
    this.transport = transport;
    this.far = far;
    far.events = {
      data: (chunk) => this.heard.push(hex(chunk)),
      drain: () => {},
      end: () => this.heard.push("FIN"),
      closed: (error) => this.heard.push(error === undefined ? "gone" : "reset"),
    };
    this.protocol = protocolOf(version, role);
    const environment = {
      limits,
      traffic: this.traffic,
      turns: timersOf(this.clock).turns,
      wheel: this.wheel,
    };
    const unheard = { overflow: () => {}, congested: () => {}, drained: () => {} };
    this.writer = new Writer(transport, environment, unheard);
    this.connection = this.receiver.connection = new Connection(transport, {
      role: role === "server" ? SERVER : CLIENT,
      protocol: this.protocol,
      writer: this.writer,
      receiver: this.receiver,
      environment,
    });
  }

  /** Removes and returns what the far end has received so far. */
  take(): string[] {
    return this.heard.splice(0);
  }
}

/** The wire format of a version, for one role. */
export function protocolOf(version: WebSocketVersion, role: RoleName): Protocol {
  const limits = { maxMessageSize: 1000, maxFragments: 100 };
  return version === "draft75" || version === "draft76"
    ? new Hixie(limits, { version })
    : new Hybi(limits, { version, role });
}

/** Bytes in hexadecimal, two digits each. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
