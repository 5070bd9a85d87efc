/**
 * The handler of a world. Obeys the commands in its client's messages.
 *
 * @module
 */
import { HttpError } from "../../src/errors.ts";
import type { MessageStream } from "../../src/connection/message_stream.ts";
import type { MessageSource } from "../../src/connection/message_source.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import type { Clock } from "../../src/timing/clock.ts";
import { byteLength } from "./frames.ts";
import type { Member } from "./member.ts";
import type { Command, PlanSettings } from "./plan.ts";

/** What handlers need of their world. */
export interface Stage {
  readonly clock: Clock;
  readonly settings: PlanSettings;
  member(name: string): Member;
  /** Something was written to the log of an application. */
  logged(message: string, error: unknown): void;
  /** Publishes a message of the next number to the topic, for a handler. */
  publish(handler: SimulatedHandler): void;
}

/** The size of a short frame, at most, in bytes. */
const FRAME = 14;

/** In how many pieces a reply is sent. */
const PIECES = 5;

/** The text of a message, or of its first pieces, which may end inside a character. */
function textOf(pieces: readonly (string | Uint8Array)[], isWhole = true): string {
  const decoder = new TextDecoder();
  const texts = pieces.map((piece) =>
    typeof piece === "string" ? piece : decoder.decode(piece, { stream: true })
  );
  return texts.join("") + (isWhole ? decoder.decode() : "");
}

/** The topic of a world. */
export const TOPIC = "t";

/** The handler. */
export class SimulatedHandler extends WebSocketHandler<Stage, { name: string }> {
  /** Its member of the world. */
  member!: Member;

  override initialize(stage: Stage): void {
    this.member = stage.member(this.params.name);
    const { handler } = this.member;
    handler.buffered = () => this.bufferedAmount;
    void this.closed.then((end) => handler.closed = end);
    this.signal.addEventListener("abort", () => handler.signalled = this.signal.reason);
  }

  /** Waits, in simulated time. */
  protected sleep(time: number): Promise<void> {
    return new Promise((resolve) => void this.options.clock.setTimeout(resolve, time));
  }

  /** Runs a hook, and checks that no other hook runs at the same time. */
  async #run(hook: string, act: () => unknown): Promise<void> {
    this.member.enter(hook, this.options.clock.now());
    try {
      await act();
    } finally {
      this.member.leave();
    }
  }

  /** Writes a reply, and checks its promise. */
  #write(text: string): Promise<void> {
    const reply = this.#next(text);
    return this.#written(this.writeMessage(reply), reply);
  }

  #next(text: string): string {
    return `r ${this.member.handler.written.length} ${text}`;
  }

  /** Notes a reply, and that its promise settles. */
  #written(writing: Promise<void>, reply: string): Promise<void> {
    const { handler } = this.member;
    handler.written.push(reply);
    // In pieces, each piece may be a frame.
    const bytes = byteLength(reply) + 14 * PIECES;
    this.member.wrote(bytes, this.options.settings.maxBufferedAmount);
    handler.pendingWrites++;
    const settled = () => void handler.pendingWrites--;
    writing.then(settled, settled);
    return writing;
  }

  /** Writes a reply in pieces. @param pause The time between them. */
  async #writePieces(text: string, pause: number): Promise<void> {
    const { handler } = this.member;
    const reply = this.#next(text);
    handler.sending++;
    try {
      await this.#written(this.writeMessage(this.#pieces(reply, pause)), reply);
    } finally {
      handler.sending--;
    }
  }

  async *#pieces(text: string, pause: number): AsyncGenerator<string> {
    const size = Math.ceil(text.length / PIECES);
    for (let at = 0; at < text.length; at += size) {
      if (pause > 0) await this.sleep(pause);
      yield text.slice(at, at + size);
    }
  }

  async *#brokenPieces(): AsyncGenerator<string> {
    yield "never complete";
    await this.sleep(100);
    this.#fail();
  }

  /** The handler ends the connection with a code. */
  #ends(code?: number): void {
    this.member.causes.add("server");
    this.member.handler.expectedCode ??= code;
  }

  #fail(): never {
    this.#ends(1011);
    throw new Error("on purpose");
  }

  override async prepare(): Promise<void> {
    await this.#run("prepare", async () => {
      switch (this.member.plan.behaviour) {
        case "slow prepare":
          return await this.sleep(500);
        case "hangs in prepare":
          return await new Promise<void>(() => {});
        case "refuses in prepare":
          throw new HttpError(403);
        case "throws in prepare":
          throw new Error("on purpose");
        case "writes in prepare":
          void this.#write("early");
      }
    });
  }

  override async open(): Promise<void> {
    this.member.handler.opens++;
    await this.#run("open", async () => {
      switch (this.member.plan.behaviour) {
        case "slow open":
          return await this.sleep(700);
        case "writes in open":
          this.#write("welcome");
          return await this.#write("again");
        case "closes in open":
          this.#ends(4000);
          return this.close(4000, "in open");
        case "subscribes in open":
          return this.#subscribe();
        case "throws in open":
          return this.#fail();
        case "rejects in open":
          await this.sleep(10);
          this.#fail();
      }
    });
  }

  async onMessage(message: string | Uint8Array): Promise<void> {
    await this.receive("onMessage", () => textOf([message]));
  }

  /** Reads a message in a hook, and obeys it. */
  async receive(hook: string, read: () => string | Promise<string>, isPart = false): Promise<void> {
    const { clock, settings } = this.options;
    await this.#run(hook, async () => {
      const text = await read();
      this.member.handle(text, { settings, now: clock.now(), isPart });
      const [, command = "", padding = ""] = text.split(" ");
      await this.#obey(command as Command, padding);
    });
  }

  #subscribe(): void {
    this.member.handler.subscribed = this.ended === undefined;
    void this.subscribe(TOPIC);
  }

  #obey(command: Command, padding: string): unknown {
    switch (command) {
      case "echo":
        return this.#write(padding);
      case "unawaited":
        return void this.#write(padding);
      case "slow":
        return this.sleep(300).then(() => this.#write(padding));
      case "burst":
        for (let left = 5; left > 0; left--) void this.#write(padding);
        return;
      case "timer":
        return void this.options.clock.setTimeout(() => {
          if (this.ended === undefined) void this.#write(padding);
        }, 400);
      case "subscribe":
        return this.#subscribe();
      case "unsubscribe":
        this.member.handler.subscribed = false;
        return this.unsubscribe(TOPIC);
      case "publish":
        return this.options.publish(this);
      case "ping":
        return this.member.isHybi ? this.#ping() : undefined;
      case "pieces":
        return this.#writePieces(padding, 0);
      case "slow-pieces":
        return this.#writePieces(padding, 20);
      default:
        return this.#end(command);
    }
  }

  #ping(): void {
    if (this.ended !== undefined) return;
    this.member.wrote(FRAME, this.options.settings.maxBufferedAmount);
    this.ping(`${++this.member.handler.pings}`);
  }

  #end(command: Command): unknown {
    switch (command) {
      case "broken-pieces": {
        const { handler } = this.member;
        const source: MessageSource = this.#brokenPieces();
        handler.sending++;
        const over = () => void handler.sending--;
        return void this.writeMessage(source).then(over, over);
      }
      case "throw":
        return this.#fail();
      case "reject":
        return this.sleep(50).then(() => this.#fail());
      case "hang":
        this.member.handler.hangs = true;
        return new Promise(() => {});
      case "close":
        this.#ends(4001);
        return this.close(4001, "asked for");
      case "abort":
        this.#ends(1006);
        this.member.handler.aborts = true;
        return this.abort();
    }
    throw new Error(`no such command: ${command}`);
  }

  override onPing(): void {
    this.member.note("onPing()");
    if (this.member.plan.behaviour === "throws in onPing") this.#fail();
  }

  override onPong(payload: Uint8Array): void {
    this.member.note("onPong()");
    const { handler, plan } = this.member;
    // The keepalive's own pings are empty. During congestion, our client answers only the last ping.
    if (payload.length > 0) handler.pongs = Number(textOf([payload]));
    else if (plan.kind === "own") handler.pongs = handler.pings;
  }

  override async onClose(): Promise<void> {
    const { member } = this;
    const { by, code, reason } = this.ended ?? {};
    member.note(`onClose() by ${by}, ${code} ${reason}`.trim());
    member.close(this.ended, this.options.settings, this.options.clock.now());
    if (member.plan.behaviour === "throws in onClose") throw new Error("on purpose");
    if (member.plan.behaviour === "slow onClose") await this.sleep(200);
  }
}

/** A handler that reads messages as streams. */
export class StreamingHandler extends SimulatedHandler {
  override async onMessageStream(stream: MessageStream): Promise<void> {
    const isPart = this.member.plan.reading === "part of stream";
    await this.receive("onMessageStream", () => this.#read(stream), isPart);
  }

  async #read(stream: MessageStream): Promise<string> {
    const { reading } = this.member.plan;
    const pieces: (string | Uint8Array)[] = [];
    for await (const piece of stream as ReadableStream<string | Uint8Array>) {
      pieces.push(piece);
      if (reading === "slow stream") await this.sleep(20);
      // The number and the command are enough.
      if (reading === "part of stream" && textOf(pieces).split(" ").length > 2) break;
    }
    return textOf(pieces, reading !== "part of stream");
  }
}
