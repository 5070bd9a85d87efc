/**
 * What must compile for users of the handler, and what must not. Nothing runs: `deno check` and
 * `tsc` fail where a line below an `@ts-expect-error` compiles, or another one does not.
 *
 * @module
 */
import { Application, type Published, WebSocketHandler } from "../../mod.ts";

/** A user's own type. */
interface Database {
  save(message: string | Uint8Array): Promise<number>;
}

declare const db: Database;

/** A hook may return whatever its last call returns. */
export class Returning extends WebSocketHandler<{ db: Database }> {
  override prepare(): Promise<number> {
    return this.options.db.save("prepare");
  }
  override open(topic: string): Promise<void> {
    return this.subscribe(topic);
  }
  onMessage(message: string | Uint8Array): Published {
    return this.publish("topic", message);
  }
  override onPing(): Promise<void> {
    return this.writeMessage("ping");
  }
  override onDrain(): number {
    return this.bufferedAmount;
  }
  override onClose(): Promise<number> {
    return this.options.db.save("close");
  }
}

/** With no return types written, as in a first program. */
export class Inferred extends WebSocketHandler<{ db: Database }> {
  #db: Database = db;

  override initialize({ db }: this["options"]) {
    this.#db = db;
    // @ts-expect-error The options have the type that the class says.
    const wrong: number = db;
    return wrong;
  }
  override async open() {
    return await this.#db.save("open");
  }
  onMessage(message: string | Uint8Array) {
    if (typeof message === "string") return this.publish("topic", message);
    return this.writeMessage(message);
  }
}

/** An override that takes other options than its class says. */
export class Mistaken extends WebSocketHandler<{ db: Database }> {
  // @ts-expect-error The class says what the options are.
  override initialize({ db }: { db: number }): void {
    this.writeMessage({ db });
  }
  // @ts-expect-error A message is a string or a Uint8Array.
  onMessage(message: number): void {
    this.writeMessage({ message });
  }
}

new Application([["/", Returning, { db }], [/\/(.+)/, Inferred, { db }]]);
// @ts-expect-error The handler needs its options.
new Application([["/", Returning]]);
// @ts-expect-error The options are of another type.
new Application([["/", Returning, { db: 1 }]]);
// @ts-expect-error A handler has an onMessage.
export class Silent extends WebSocketHandler {}
