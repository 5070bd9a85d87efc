/**
 * Values that may be sent, and values that must not compile.
 *
 * @module
 */
import {
  type Message,
  type MessageSource,
  type MessageStream,
  WebSocketHandler,
} from "../../mod.ts";
import type { WebSocketClientConnection } from "../../src/client/mod.ts";

/** Accepts every value that may be sent. */
function send(...messages: readonly Message[]): void {
  void messages;
}

/** An interface, to which TypeScript gives no index signature. */
interface Chat {
  readonly from: string;
  readonly text?: string;
}

/** An interface whose properties are named like methods of values that must not be sent. */
interface Page {
  readonly next: string | null;
  readonly then?: Chat;
  readonly arrayBuffer: number;
  readonly call: string;
  readonly size: number;
}

type Alias = { from: string; next: Chat };

declare const chat: Chat;
declare const page: Page;
declare const alias: Alias;
declare const chats: Chat[];
declare const tuple: readonly [number, Chat];
declare const record: Record<string, number>;
declare const anything: object;
declare const either: string | Uint8Array | Chat;

send("text", "" as const, new String("text").valueOf());
send(new ArrayBuffer(1), new Uint8Array(1), new Float64Array(1), new DataView(new ArrayBuffer(1)));
send(new Uint8Array(new SharedArrayBuffer(1)), new Uint8Array(1).subarray(0, 1));
send({}, { from: "Ada", deep: [{ er: null }] }, { next: 1 }, { then: "else" }, Object.create(null));
send([], [1, null, undefined], [[chat]], chats, tuple);
send(chat, page, alias, record, either, anything);

declare const blob: Blob;
declare const file: File;
declare const iterator: Iterator<string>;
declare const asyncIterator: AsyncIterator<string>;
declare const iterable: Iterable<string>;
declare const thenable: PromiseLike<string>;
declare const generator: Generator<string>;
declare const asyncGenerator: AsyncGenerator<string>;
declare const stream: ReadableStream<string>;
declare const response: Response;
declare const request: Request;
declare const something: unknown;
declare const maybe: Chat | undefined;
class Text {}

// @ts-expect-error Blob
send(blob);
// @ts-expect-error File, which is a Blob
send(file);
// @ts-expect-error Map
send(new Map([["from", "Ada"]]));
// @ts-expect-error Set
send(new Set(["Ada"]));
// @ts-expect-error WeakMap
send(new WeakMap());
// @ts-expect-error Promise: an await is missing
send(Promise.resolve("text"));
// @ts-expect-error PromiseLike
send(thenable);
// @ts-expect-error The result of an async function
send((async () => await Promise.resolve({ from: "Ada" }))());
// @ts-expect-error Iterator
send(iterator);
// @ts-expect-error AsyncIterator
send(asyncIterator);
// @ts-expect-error Iterable
send(iterable);
// @ts-expect-error Map iterator
send(new Map<string, string>().keys());
// @ts-expect-error Array iterator
send(["text"].values());
// @ts-expect-error Generator
send(generator);
// @ts-expect-error AsyncGenerator
send(asyncGenerator);
// @ts-expect-error ReadableStream
send(stream);
// @ts-expect-error Response
send(response);
// @ts-expect-error Request
send(request);
// @ts-expect-error Function
send(() => "text");
// @ts-expect-error Function with a name
send(parseInt);
// @ts-expect-error Class
send(Text);
// @ts-expect-error SharedArrayBuffer
send(new SharedArrayBuffer(1));
// @ts-expect-error number
send(5);
// @ts-expect-error bigint
send(5n);
// @ts-expect-error boolean
send(true);
// @ts-expect-error symbol
send(Symbol.iterator);
// @ts-expect-error null
send(null);
// @ts-expect-error undefined
send(undefined);
// @ts-expect-error unknown
send(something);
// @ts-expect-error A value that may be undefined
send(maybe);
// @ts-expect-error A union of a sendable value and an iterator
send({} as Chat | Iterator<string>);

declare const texts: AsyncGenerator<string>;
declare const bytes: AsyncIterable<Uint8Array>;
declare const buffers: AsyncIterable<ArrayBuffer>;
declare const textStream: ReadableStream<string>;
declare const byteStream: ReadableStream<Uint8Array>;
declare const messageStream: MessageStream;
declare const numbers: AsyncIterable<number>;
declare const mixed: AsyncIterable<string | Uint8Array>;
declare const source: MessageSource;

/** Sends and reads messages in pieces. */
export class Streaming extends WebSocketHandler {
  /** Not called. */
  onMessage(): void {}

  /** Accepts each kind of stream. */
  override async onMessageStream(stream: MessageStream): Promise<void> {
    const reply: Promise<void> = this.writeMessage(stream);
    if (stream.kind === "text") {
      for await (const piece of stream) piece.charCodeAt(0);
      await stream.pipeTo(new WritableStream<string>());
    } else {
      for await (const piece of stream) piece.subarray(0);
      await stream.pipeTo(new WritableStream<Uint8Array>());
    }
    for await (const piece of stream) send(piece);
    await reply;
  }

  /** The client accepts the same values. */
  async forward(client: WebSocketClientConnection): Promise<void> {
    for (const to of [this, client]) {
      await to.writeMessage(texts);
      await to.writeMessage(bytes);
      await to.writeMessage(buffers);
      await to.writeMessage(textStream);
      await to.writeMessage(byteStream);
      await to.writeMessage(messageStream);
      await to.writeMessage(source);
      // @ts-expect-error Pieces that are not text or bytes
      await to.writeMessage(numbers);
      // @ts-expect-error Text and bytes in one message
      await to.writeMessage(mixed);
      // @ts-expect-error An iterator without Symbol.asyncIterator
      await to.writeMessage(asyncIterator);
      // @ts-expect-error An iterable that is not asynchronous
      await to.writeMessage(iterable);
    }
    // @ts-expect-error Topics have whole messages
    this.publish("topic", texts);
  }
}

/** All methods that send accept the same values. */
export class Sending extends WebSocketHandler {
  /** Calls every method that sends. */
  onMessage(message: string | Uint8Array): void {
    this.writeMessage(message);
    this.writeMessage(chat);
    this.publish("topic", chat);
    this.application.publish("topic", chat);
    // @ts-expect-error Map
    this.writeMessage(new Map());
    // @ts-expect-error Promise
    this.publish("topic", Promise.resolve("text"));
    // @ts-expect-error Blob
    this.application.publish("topic", blob);
  }

  /** The client's method, too. */
  forward(client: WebSocketClientConnection): void {
    client.writeMessage(chat);
    client.writeMessage(new ArrayBuffer(1));
    // @ts-expect-error Set
    client.writeMessage(new Set());
  }
}
