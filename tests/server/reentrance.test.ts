/**
 * Connections that are served inside of a callback of another one. They share the state of modules: the
 * cork, the index of the last head, digests, the memory of the mask and of long texts, and zlib's streams.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { Application, WebSocketHandler } from "../../mod.ts";
import { RecordedTransport } from "../connection/recorded_transport.ts";
import { textOf } from "../handshake/support.ts";
import { deflated } from "../protocol/deflate_cases.ts";
import { begin, binary, continuation, pattern, ping, text } from "../protocol/hybi_frames.ts";
import { latin1Bytes } from "../support/bytes.ts";

const HOOKS = [
  "initialize",
  "checkOrigin",
  "selectSubprotocol",
  "getCompressionOptions",
  "prepare",
  "open",
  "onMessage",
  "onPing",
] as const;

type Hook = typeof HOOKS[number];

/** Answers each message with another one, and calls the option in each hook. */
class Answering extends WebSocketHandler<(hook: Hook) => void> {
  override initialize(during: (hook: Hook) => void): void {
    during("initialize");
  }
  override checkOrigin(origin: string): boolean {
    this.options("checkOrigin");
    return origin === "http://localhost";
  }
  override selectSubprotocol([first]: readonly string[]): string | undefined {
    this.options("selectSubprotocol");
    return first;
  }
  override getCompressionOptions() {
    this.options("getCompressionOptions");
    return { threshold: 0, contextTakeover: false };
  }
  override prepare(): void {
    this.options("prepare");
  }
  override open(): void {
    this.writeMessage(`open ${this.request.headers.get("x-name")}`);
    this.options("open");
  }
  override onMessage(message: string | Uint8Array): void {
    this.writeMessage(
      typeof message === "string" ? `got ${message}` : message.map((byte) => ~byte),
    );
    this.options("onMessage");
    this.writeMessage(message);
  }
  override onPing(payload: Uint8Array): void {
    this.options("onPing");
    this.writeMessage(payload);
  }
}

/** Serves a client, which says of all kinds what uses the state of modules. */
class Visit {
  readonly #transport = new RecordedTransport();

  constructor(during: (hook: Hook) => void, name: string) {
    new Application([["/", Answering, during]], { pingInterval: 0 }).accept(this.#transport);
    const key = `${name}AAAAAAAAAAAAAAAAAAAAAAAA`.slice(0, 22);
    const head =
      `GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: ${key}==\r\nSec-WebSocket-Version: 13\r\nOrigin: http://localhost\r\n` +
      `X-Name: ${name}\r\nSec-WebSocket-Protocol: ${name}, other\r\n` +
      "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover\r\n\r\n";
    this.#receive(latin1Bytes(head));
    const long = `${name} `.repeat(10_000);
    this.#receive(text(`${name} short`));
    this.#receive(text(`${name} `.repeat(500)));
    this.#receive(begin(long.slice(0, 30_000)));
    this.#receive(continuation(long.slice(30_000), true));
    this.#receive(binary(pattern(5000)));
    this.#receive(ping(name));
    this.#receive(deflated(latin1Bytes(`${name} `.repeat(1000))));
  }

  #receive(bytes: Uint8Array): void {
    this.#transport.events.data(bytes);
  }

  /** What the server has written, one character for each byte. */
  get answer(): string {
    return this.#transport.written.map(textOf).join("");
  }
}

/** Serves a client of draft76. Returns what the server has written. */
function visitDraft76(): () => string {
  class Echo extends WebSocketHandler {
    onMessage(message: string | Uint8Array): void {
      this.writeMessage(message);
    }
  }
  const transport = new RecordedTransport();
  new Application([["/demo", Echo]], { versions: ["draft76"], pingInterval: 0 }).accept(transport);
  // The example of draft76 §1.2.
  const head = "GET /demo HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\n" +
    "Sec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\nUpgrade: WebSocket\r\n" +
    "Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\nOrigin: http://example.com\r\n\r\n";
  transport.events.data(latin1Bytes(`${head}^n:ds[4U`));
  transport.events.data(latin1Bytes("\0abc\xff"));
  return () => transport.written.map(textOf).join("");
}

describe("a client that is served inside of a callback of another one", () => {
  const alone = new Visit(() => {}, "outer").answer;
  const innerAlone = new Visit(() => {}, "inner").answer;
  const draft76 = visitDraft76()();

  test("is served at all", () => {
    assertEquals(alone.slice(0, 34), "HTTP/1.1 101 Switching Protocols\r\n");
    assertEquals(alone === innerAlone, false);
    assertEquals(draft76.slice(-21), "8jKS'y:G*Co,Wxa-\0abc\xff");
  });

  for (const outer of HOOKS) {
    test(`gets the same answers, and the other one too: in ${outer}()`, () => {
      const inner: Visit[] = [];
      const drafts: (() => string)[] = [];
      const during = (hook: Hook): void => {
        if (hook !== outer) return;
        inner.push(new Visit(() => {}, "inner"));
        drafts.push(visitDraft76());
      };
      const visit = new Visit(during, "outer");
      assertEquals(visit.answer, alone);
      assertEquals(inner.length > 0, true);
      for (const { answer } of inner) assertEquals(answer, innerAlone);
      for (const written of drafts) assertEquals(written(), draft76);
    });
  }
});
