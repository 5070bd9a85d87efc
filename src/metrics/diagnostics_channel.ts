/**
 * Channels of `node:diagnostics_channel`, which tracing libraries listen to.
 *
 * @module
 */
import { builtinModule } from "../transport/builtin_module.ts";

/** The part of a channel of Node that is used. */
interface NodeChannel {
  readonly hasSubscribers: boolean;
  publish(event: object): void;
  runStores<Result>(event: object, callback: () => Result): Result;
}

/** The part of `node:diagnostics_channel` that is used. */
interface DiagnosticsChannels {
  channel(name: string): NodeChannel;
}

/** Replaces a channel on runtimes without channels, such as browsers. */
const SILENT: NodeChannel = {
  hasSubscribers: false,
  publish() {},
  runStores: (_, callback) => callback(),
};

/**
 * One channel. Check {@linkcode isObserved} before each event: without a listener, no event should be
 * created.
 */
export class DiagnosticsChannel<Args extends readonly unknown[], Event extends object> {
  /** Makes an event. A test may replace it, to count. */
  make: (...args: Args) => Event;
  readonly #channel: NodeChannel;

  /** @param name The name. @param make Makes an event. @param globals Default: `globalThis`. */
  constructor(name: string, make: (...args: Args) => Event, globals?: unknown) {
    this.make = make;
    this.#channel =
      builtinModule<DiagnosticsChannels>("node:diagnostics_channel", globals)?.channel(name) ??
        SILENT;
  }

  /** Whether anybody listens. */
  get isObserved(): boolean {
    return this.#channel.hasSubscribers;
  }

  /** Publishes an event. An exception in a listener becomes an uncaught exception. */
  publish(...args: Args): void {
    this.#channel.publish(this.make(...args));
  }

  /** Publishes an event, and calls a hook with the stores that are bound to the channel. */
  run<Result>(hook: () => Result, ...args: Args): Result {
    return this.#channel.runStores(this.make(...args), hook);
  }
}
