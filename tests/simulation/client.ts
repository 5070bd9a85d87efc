/**
 * A client of a world that sends raw bytes. It sends what the world tells it to, answers pings and close
 * frames, and records what it receives.
 *
 * @module
 */
import type { Deflate } from "../../src/protocol/deflate.ts";
import type { MemoryTransport } from "../../src/transport/memory.ts";
import { dice, randomBytes } from "../fuzz/mutate.ts";
import {
  closeFrame,
  openingHandshake,
  type WireEvents,
  WireReader,
} from "../support/wire_client.ts";
import {
  byteLength,
  clientDeflate,
  controlFrame,
  draftFrame,
  encode,
  fill,
  messageFrames,
  padding,
  PING,
  PONG,
} from "./frames.ts";
import type { Guest, GuestOptions } from "./guest.ts";
import type { Member } from "./member.ts";
import type { ClientStep, Command, PlanSettings } from "./plan.ts";

const decoder = new TextDecoder();

/** The time between two bytes of a slow handshake, in milliseconds. */
const SLOW = 100;

/** Whether a client and its server compress. */
export function compresses({ plan, version }: Member, { compression }: PlanSettings): boolean {
  return compression !== "none" && plan.compresses && version === "rfc6455";
}

/** The text of the next message of a client. */
export function nextText(
  member: Member,
  { command, size }: { readonly command: Command; readonly size: number | "limit" | "over" },
  { maxMessageSize }: PlanSettings,
): string {
  const start = `${member.client.sent.length} ${command} `;
  if (typeof size === "number") return start + padding(size);
  if (maxMessageSize > 10_000) return start;
  return fill(start, size === "limit" ? maxMessageSize : maxMessageSize + 1);
}

/** Notes a message that is sent. Returns whether it breaks a rule. */
export function noteSent(member: Member, text: string, { clock, settings }: GuestOptions): boolean {
  const { client, causes } = member;
  const isOver = byteLength(text) > settings.maxMessageSize;
  client.sentAt = client.unitAt = clock.now();
  client.sent.push(text);
  if (isOver) {
    causes.add("protocol");
    client.violations.add(1009);
  }
  return isOver;
}

/** Counts what is sent for the rates. */
export function countSent(
  { client, causes }: Member,
  { units, bytes }: { readonly units: number; readonly bytes: number },
  { messageRate, byteRate }: PlanSettings,
): void {
  client.units += units;
  client.bytes += bytes;
  for (const [rate, count] of [[messageRate, client.units], [byteRate, client.bytes]] as const) {
    if (rate?.action !== "close" || count <= rate.burst) continue;
    causes.add("protocol");
    client.violations.add(1008);
  }
}

/** One client. */
export class SimulatedClient implements Guest {
  readonly #member: Member;
  readonly #transport: MemoryTransport;
  readonly #options: GuestOptions;
  readonly #reader: WireReader;
  readonly #deflate: Deflate | undefined;
  /** Whether nothing more may be sent. */
  #isDone = false;

  /** Sends the opening handshake. */
  constructor(member: Member, transport: MemoryTransport, options: GuestOptions) {
    this.#member = member;
    this.#transport = transport;
    this.#options = options;
    if (compresses(member, options.settings)) {
      this.#deflate = clientDeflate(options.settings.compression === "window");
    }
    this.#reader = new WireReader(member.version, this.#events(), this.#inflate);
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
        this.#deflate?.free();
      },
    };
    member.client.handshake = "sent";
    member.client.unsent = () => transport.bufferedAmount;
    this.#open();
  }

  readonly #inflate = (payload: Uint8Array): Uint8Array => {
    this.#member.must(this.#deflate !== undefined, () => "received a compressed message");
    return this.#deflate?.inflate(payload, Infinity) ?? payload;
  };

  #open(): void {
    const { version, name, plan } = this.#member;
    const fields = this.#deflate === undefined
      ? []
      : ["Sec-WebSocket-Extensions: permessage-deflate"];
    const folder = plan.reading === "whole" ? "c" : "s";
    const bytes = openingHandshake(`/${folder}/${name}`, version, { fields });
    if (plan.opening === "whole") this.#transport.write(bytes, false);
    else if (plan.opening === "partial") this.#transport.write(bytes.subarray(0, -3), false);
    else if (plan.opening === "slow") this.#writeSlowly(bytes);
  }

  #writeSlowly(bytes: Uint8Array): void {
    const { client } = this.#member;
    if (bytes.length === 0 || client.gone || client.finished || this.#isDone) return;
    this.#transport.write(bytes.subarray(0, 1), false);
    this.#options.clock.setTimeout(() => this.#writeSlowly(bytes.subarray(1)), SLOW);
  }

  #events(): WireEvents {
    const member = this.#member;
    const { client } = member;
    return {
      open: () => {
        member.note("is open");
        client.handshake = "open";
        client.openedAt = client.pingedAt = this.#options.clock.now();
      },
      message: (message) =>
        member.receive(typeof message === "string" ? message : decoder.decode(message)),
      ping: (payload) => {
        client.pingedAt = client.unitAt = this.#options.clock.now();
        if (!this.#isDone) this.#write(controlFrame(PONG, payload));
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
      if (member.client.handshake !== "sent") {
        member.failure ??= `${member.name}: cannot read: ${error}`;
        throw error;
      }
      const [, status] = /HTTP\/1.1 (\d+)/.exec(String(error)) ?? [];
      member.note(`is refused with ${status}`);
      member.client.handshake = "refused";
      member.refused(Number(status), this.#options.settings);
    }
  }

  #write(bytes: Uint8Array, units = 1): void {
    countSent(this.#member, { units, bytes: bytes.length }, this.#options.settings);
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
    const isEmpty = bytes.length === 8 && code === 0;
    this.#write(isEmpty ? Uint8Array.of(0x88, 0x80, 0, 0, 0, 0) : bytes, 0);
  }

  /** From now on, the server must answer nothing, and the client answers no pings. */
  #leaves(): void {
    const { client, causes } = this.#member;
    causes.add("timeout");
    if (!client.leaving) client.leftAt = this.#options.clock.now();
    client.leaving = true;
    this.#isDone = true;
  }

  /** See {@linkcode Guest.act}. */
  act(step: ClientStep): void {
    const { client, plan, causes, version } = this.#member;
    if (client.gone) return;
    if (step.op === "fin" || step.op === "reset") return this.#end(step.op);
    const isEarly = client.handshake === "sent" && plan.isEager && step.op === "send" &&
      plan.opening === "whole";
    if (this.#isDone || (client.handshake !== "open" && !isEarly)) return;
    if (step.op === "send") this.#send(step);
    else if (step.op === "ping") this.#ping();
    else if (step.op === "close") {
      causes.add("peer");
      client.closeCode = step.code;
      this.#leaves();
      this.#close(step.code);
      if (version === "draft75") this.#transport.end();
    } else if (step.op === "garbage") {
      // It may even be a message.
      causes.add("protocol").add("peer").add("network").add("server");
      client.hostile = true;
      this.#leaves();
      this.#write(randomBytes(dice(step.seed), 50), 25);
    }
  }

  #ping(): void {
    const { client, isHybi } = this.#member;
    if (!isHybi) return;
    client.pings++;
    client.unitAt = this.#options.clock.now();
    this.#write(controlFrame(PING, encode(`${client.pings}`)));
  }

  #end(op: "fin" | "reset"): void {
    const { causes, client, version } = this.#member;
    causes.add("network");
    client.hasEnded = true;
    client.leftAt = this.#options.clock.now();
    if (op === "fin" && version === "draft75") causes.add("peer");
    this.#leaves();
    if (op === "fin") this.#transport.end();
    else this.#transport.destroy();
  }

  #send({ commands, size, fragments, binary }: ClientStep & { readonly op: "send" }): void {
    for (const command of commands) {
      if (this.#isDone) return;
      const text = nextText(this.#member, { command, size }, this.#options.settings);
      if (noteSent(this.#member, text, this.#options)) this.#leaves();
      const payload = encode(text);
      const deflated = this.#deflate?.deflate(payload);
      const frames = this.#member.isHybi
        ? messageFrames(payload, { fragments, binary, deflated })
        : draftFrame(payload);
      this.#write(frames);
      const { client } = this.#member;
      const start = client.ends.at(-1) ?? 0;
      client.ends.push(client.bytes);
      client.longest = Math.max(client.longest, client.bytes - start);
    }
  }
}
