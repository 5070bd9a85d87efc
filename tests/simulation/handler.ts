/**
 * The handler of a world. Obeys the commands in its client's messages.
 *
 * @module
 */
import { HttpError } from "../../src/errors.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import type { Clock } from "../../src/timing/clock.ts";
import type { Member } from "./member.ts";
import type { Command, PlanSettings } from "./plan.ts";

/** What handlers need of their world. */
export interface Stage {
  readonly clock: Clock;
  readonly settings: PlanSettings;
  member(name: string): Member;
  /** Publishes a message of the next number to the topic, for a handler. */
  publish(handler: SimulatedHandler): void;
}

const encoder = new TextEncoder();

/** The topic of a world. */
export const TOPIC = "t";

/** The handler. */
export class SimulatedHandler extends WebSocketHandler<Stage, { name: string }> {
  /** Its member of the world. */
  member!: Member;

  override initialize(stage: Stage): void {
    this.member = stage.member(this.params.name);
    this.member.handler.buffered = () => this.bufferedAmount;
  }

  #sleep(time: number): Promise<void> {
    return new Promise((resolve) => void this.options.clock.setTimeout(resolve, time));
  }

  /** Runs a hook, and checks that no other hook runs at the same time. */
  async #run(hook: string, act: () => unknown): Promise<void> {
    this.member.enter(hook);
    try {
      await act();
    } finally {
      this.member.leave();
    }
  }

  /** Writes a reply, and checks its promise. */
  #write(text: string): Promise<void> {
    const { handler } = this.member;
    const reply = `r ${handler.written.length} ${text}`;
    const writing = this.writeMessage(reply);
    handler.written.push(reply);
    this.member.wrote(encoder.encode(reply).length + 14, this.options.settings.maxBufferedAmount);
    handler.pendingWrites++;
    const settled = () => void handler.pendingWrites--;
    writing.then(settled, settled);
    return writing;
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
          return await this.#sleep(500);
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
          return await this.#sleep(700);
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
          await this.#sleep(10);
          this.#fail();
      }
    });
  }

  async onMessage(message: string | Uint8Array): Promise<void> {
    const text = typeof message === "string" ? message : new TextDecoder().decode(message);
    await this.#run("onMessage", () => {
      this.member.handle(text);
      const [, command = "", padding = ""] = text.split(" ");
      return this.#obey(command as Command, padding);
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
        return this.#sleep(300).then(() => this.#write(padding));
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
        return this.member.isHybi ? this.ping("are you there?") : undefined;
      default:
        return this.#end(command);
    }
  }

  #end(command: Command): unknown {
    switch (command) {
      case "throw":
        return this.#fail();
      case "reject":
        return this.#sleep(50).then(() => this.#fail());
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

  override onPong(): void {
    this.member.note("onPong()");
  }

  override async onClose(): Promise<void> {
    const { member } = this;
    const { by, code, reason } = this.ended ?? {};
    member.note(`onClose() by ${by}, ${code} ${reason}`.trim());
    member.close(this.ended, this.options.settings, this.options.clock.now());
    if (member.plan.behaviour === "throws in onClose") throw new Error("on purpose");
    if (member.plan.behaviour === "slow onClose") await this.#sleep(200);
  }
}
