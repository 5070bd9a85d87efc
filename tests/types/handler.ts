/**
 * Code of users of the handler that must compile, and code that must not. Nothing runs. `deno check` and
 * `tsc` fail if a line below an `@ts-expect-error` compiles, or if any other line does not.
 *
 * @module
 */
import { Application, type Published, type Subscribed, WebSocketHandler } from "../../mod.ts";

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
  override open(topic: string): Promise<Subscribed> {
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

/** A handler without explicit return types, as in a first program. */
export class Inferred extends WebSocketHandler<{ db: Database }> {
  #db: Database = db;

  override initialize({ db }: this["options"]) {
    this.#db = db;
    // @ts-expect-error The class determines the type of the options.
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

/** An override with options of another type than the class. */
export class Mistaken extends WebSocketHandler<{ db: Database }> {
  // @ts-expect-error The class determines the type of the options.
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
