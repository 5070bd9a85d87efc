/**
 * A client of a world. It sends what the world tells it to, answers pings and close frames, and records
 * what it receives.
 *
 * @module
 */
import type { MemoryTransport } from "../../src/transport/memory.ts";
import { dice, randomBytes } from "../fuzz/mutate.ts";
import {
  closeFrame,
  openingHandshake,
  type WireEvents,
  WireReader,
} from "../support/wire_client.ts";
import type { Clock } from "../../src/timing/clock.ts";
import type { Member } from "./member.ts";
import type { Step } from "./plan.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const TEXT = 1;
const BINARY = 2;
const PING = 9;
const PONG = 10;

const KEY = [0x12, 0x00, 0xff, 0x5a] as const;

/** A masked frame. */
function frame(opcode: number, payload: Uint8Array, isLast = true): Uint8Array {
  const { length } = payload;
  const size = length < 126 ? [0x80 | length] : [0xfe, length >> 8, length & 0xff];
  const masked = payload.map((byte, at) => byte ^ (KEY[at & 3] ?? 0));
  return Uint8Array.of((isLast ? 0x80 : 0) | opcode, ...size, ...KEY, ...masked);
}

/** Characters of one to four bytes. Deliveries may split them anywhere. */
const ALPHABET = [..."xyé日👋z"];

function padding(size: number): string {
  return Array.from({ length: size }, (_, at) => ALPHABET[at % ALPHABET.length]).join("");
}

/** A message of exactly `size` bytes. */
function fill(start: string, size: number): string {
  return start + "x".repeat(Math.max(0, size - start.length));
}

/** What a client needs of its world. */
export interface ClientOptions {
  readonly clock: Clock;
  /** The server's message size limit. */
  readonly maxMessageSize: number;
}

/** One client. */
export class SimulatedClient {
  readonly #member: Member;
  readonly #transport: MemoryTransport;
  readonly #options: ClientOptions;
  readonly #reader: WireReader;
  /** Whether nothing more may be sent. */
  #isDone = false;

  /** Sends the opening handshake. */
  constructor(member: Member, transport: MemoryTransport, options: ClientOptions) {
    this.#member = member;
    this.#transport = transport;
    this.#options = options;
    this.#reader = new WireReader(member.version, this.#events());
    transport.events = {
      data: (chunk) => this.#read(chunk),
      drain: () => {},
      end: () => {
        member.note("receives FIN");
        member.client.finished = true;
        if (!member.plan.isStubborn) transport.end();
      },
      closed: () => {
        member.note("is gone");
        member.client.gone = true;
      },
    };
    member.client.handshake = "sent";
    transport.write(openingHandshake(`/c/${member.name}`, member.version), false);
  }

  #events(): WireEvents {
    const { client } = this.#member;
    return {
      open: () => {
        this.#member.note("is open");
        client.handshake = "open";
        client.pingedAt = this.#options.clock.now();
      },
      message: (message) =>
        this.#member.receive(typeof message === "string" ? message : decoder.decode(message)),
      ping: (payload) => {
        client.pingedAt = this.#options.clock.now();
        if (!this.#isDone) this.#write(frame(PONG, payload));
      },
      pong: (payload) => {
        client.pongs = Number(decoder.decode(payload));
      },
      close: (code) => this.#closed(code),
    };
  }

  #read(chunk: Uint8Array): void {
    const member = this.#member;
    if (member.client.handshake === "refused") return;
    try {
      this.#reader.read(chunk);
    } catch (error) {
      if (member.client.handshake !== "sent") throw error;
      member.note("is refused");
      member.client.handshake = "refused";
    }
  }

  #write(bytes: Uint8Array): void {
    this.#transport.write(bytes, false);
  }

  /** Answers the server's close frame. If the server answers, checks that it sends the client's code. */
  #closed(code: number): void {
    const member = this.#member;
    const { client } = member;
    member.note(`receives close ${code}`);
    client.serverCode = code;
    const isAnswer = [...member.causes].every((cause) => cause === "peer" || cause === "timeout");
    // An idle timeout may close at the same time.
    const isCrossed = code === 1001 && member.causes.has("timeout");
    if (client.closeCode !== undefined && member.isHybi && isAnswer && !isCrossed) {
      member.must(code === client.closeCode, () => `${client.closeCode} was answered by ${code}`);
    }
    if (!this.#isDone && !member.plan.isStubborn) this.#close(code);
  }

  #close(code: number): void {
    this.#isDone = true;
    const bytes = closeFrame(code, this.#member.version);
    // A close frame without a code.
    this.#write(bytes.length === 8 && code === 0 ? Uint8Array.of(0x88, 0x80, 0, 0, 0, 0) : bytes);
  }

  /** From now on, the server must answer nothing, and the client answers no pings. */
  #leaves(): void {
    const { client, causes } = this.#member;
    causes.add("timeout");
    if (!client.leaving) client.leftAt = this.#options.clock.now();
    client.leaving = true;
    this.#isDone = true;
  }

  /** Does one step. */
  act(step: Step): void {
    const { client, plan, causes } = this.#member;
    if (client.gone) return;
    if (step.op === "fin" || step.op === "reset") return this.#end(step.op);
    const isEarly = client.handshake === "sent" && plan.isEager && step.op === "send";
    if (this.#isDone || (client.handshake !== "open" && !isEarly)) return;
    if (step.op === "send") this.#send(step);
    else if (step.op === "ping") this.#ping();
    else if (step.op === "close") {
      causes.add("peer");
      client.closeCode = step.code;
      this.#leaves();
      this.#close(step.code);
      if (this.#member.version === "draft75") this.#transport.end();
    } else if (step.op === "garbage") {
      causes.add("protocol").add("peer").add("network");
      client.hostile = true;
      this.#leaves();
      this.#write(randomBytes(dice(step.seed), 50));
    }
  }

  #ping(): void {
    const { client, isHybi } = this.#member;
    if (!isHybi) return;
    client.pings++;
    this.#write(frame(PING, encoder.encode(`${client.pings}`)));
  }

  #end(op: "fin" | "reset"): void {
    const { causes, client, version } = this.#member;
    causes.add("network");
    client.hasEnded = true;
    if (op === "fin" && version === "draft75") causes.add("peer");
    this.#leaves();
    if (op === "fin") this.#transport.end();
    else this.#transport.destroy();
  }

  #send({ command, size, fragments, binary, count }: Step & { readonly op: "send" }): void {
    const { client, causes } = this.#member;
    const { maxMessageSize } = this.#options;
    for (let left = count; left > 0 && !this.#isDone; left--) {
      const start = `${client.sent.length} ${command} `;
      const isLimit = size === null && maxMessageSize < 10_000;
      const text = isLimit ? fill(start, maxMessageSize) : start + padding(size ?? 0);
      if (encoder.encode(text).length > maxMessageSize) {
        causes.add("protocol");
        this.#leaves();
      }
      client.sentAt = this.#options.clock.now();
      client.sent.push(command);
      this.#write(this.#encode(text, { fragments, binary }));
    }
  }

  #encode(
    text: string,
    { fragments, binary }: { readonly fragments: number; readonly binary: boolean },
  ): Uint8Array {
    const payload = encoder.encode(text);
    if (!this.#member.isHybi) return Uint8Array.of(0, ...payload, 0xff);
    const frames: number[] = [];
    const length = Math.ceil(payload.length / fragments);
    for (let at = 0; at < payload.length; at += length) {
      const isLast = at + length >= payload.length;
      const opcode = at > 0 ? 0 : binary ? BINARY : TEXT;
      frames.push(...frame(opcode, payload.subarray(at, at + length), isLast));
    }
    return Uint8Array.from(frames);
  }
}
