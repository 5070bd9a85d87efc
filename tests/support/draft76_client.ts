/**
 * A strict draft76 client. It follows all client requirements of draft-hixie-thewebsocketprotocol-76
 * ("W76" below): random keys, fields in random order, and every check of the server's response.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { RawClient } from "./raw_client.ts";

/** How to connect. */
export interface Draft76Options {
  /** The TCP port to connect to. */
  readonly port: number;
  /** The address to connect to. Default: `"127.0.0.1"`. */
  readonly host?: string;
  /** The URL of the request. It does not change where to connect. Default: `ws://host:port/`. */
  readonly url?: string;
  /** The origin. Default: that of the URL. */
  readonly origin?: string;
  /** The subprotocol to ask for. */
  readonly subprotocol?: string;
  /** Complete header lines to add: `"Cookie: a=b"`. */
  readonly fields?: readonly string[];
  /** Sends key3 only after the response head, like a proxy that does not know draft76. */
  readonly holdKey3?: boolean;
  /** Returns numbers from 0 to 1. Default: `Math.random`. */
  readonly random?: () => number;
}

/** A frame from the server: a text frame or the close frame. */
export type Draft76Frame = { readonly text: string } | "close";

/** What the client sends to open a connection. */
export interface Draft76Request {
  /** From the request line to the empty line. */
  readonly head: string;
  /** The 8 bytes after the head (key3). */
  readonly key3: Uint8Array;
  /** The expected 16-byte response to the challenge. */
  readonly challengeResponse: Uint8Array;
}

/** A response head: the status line, and the fields with lower-case names. */
export interface Draft76Response {
  readonly statusLine: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** An open connection. Every test that opens one ends it with `destroy`. */
export class Draft76Client {
  /** The TCP connection, to send invalid bytes. */
  readonly socket: RawClient;
  /** The checked head of the server's response. */
  readonly response: Draft76Response;

  private constructor(socket: RawClient, response: Draft76Response) {
    this.socket = socket;
    this.response = response;
  }

  /** Connects, performs the opening handshake, and does every check that a client must do. */
  static async connect(options: Draft76Options): Promise<Draft76Client> {
    const request = makeRequest(options);
    const { port, host = "127.0.0.1" } = options;
    const socket = await RawClient.connect({ port, host });
    try {
      socket.write(request.head);
      if (!options.holdKey3) socket.write(request.key3);
      const response = parseResponse(await socket.readThrough("\r\n\r\n"));
      checkResponse(response, options);
      if (options.holdKey3) socket.write(request.key3);
      checkChallenge(await socket.read(16), request.challengeResponse);
      return new Draft76Client(socket, response);
    } catch (error) {
      await socket.destroy();
      throw new Error(`Cannot open by ${JSON.stringify(request.head)}`, { cause: error });
    }
  }

  /** Sends a text frame: 00, UTF-8, FF (W76, "Data framing"). */
  send(text: string): void {
    this.socket.write(textFrame(text));
  }

  /** Resolves to the next frame. Rejects if the bytes are no frame, or if nothing arrives. */
  async receive(): Promise<Draft76Frame> {
    const type = (await this.socket.read(1))[0];
    if (type === 0x00) {
      const bytes = await this.socket.readThrough(0xff);
      // Fatal: a server must not send invalid UTF-8.
      const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
      return { text: decoder.decode(bytes.subarray(0, -1)) };
    }
    const length = (await this.socket.read(1))[0];
    if (type === 0xff && length === 0x00) return "close";
    throw new Error(
      `Cannot read a frame that begins with ${type} ${length}: neither text nor close`,
    );
  }

  /** The text of the next frame. */
  async receiveText(): Promise<string> {
    const frame = await this.receive();
    if (frame === "close") throw new Error("Cannot read a text: the server closed");
    return frame.text;
  }

  /** Starts the closing handshake and waits for the server's FF 00 and its FIN. */
  async close(): Promise<void> {
    this.socket.write(CLOSING_FRAME);
    while (await this.receive() !== "close");
    this.socket.end();
    const rest = await this.socket.readToEnd();
    if (rest.length > 0) throw new Error(`The server sent ${rest.length} bytes after FF 00`);
  }

  /** Ends the connection at once. */
  async destroy(): Promise<void> {
    await this.socket.destroy();
  }
}

/** The close frame (W76, "Data framing"). */
export const CLOSING_FRAME: Uint8Array = Uint8Array.of(0xff, 0x00);

/** A text frame. */
export function textFrame(text: string): Uint8Array {
  const payload = new TextEncoder().encode(text);
  const frame = new Uint8Array(payload.length + 2);
  frame.set(payload, 1);
  frame[frame.length - 1] = 0xff;
  return frame;
}

/** The client's opening handshake, in the steps of W76 ("Opening handshake", client requirements). */
export function makeRequest(options: Draft76Options): Draft76Request {
  const { random = Math.random, subprotocol, fields: extra = [] } = options;
  const { host, resource } = parseUrl(urlOf(options));
  const first = makeKey(random);
  const second = makeKey(random);
  const key3 = Uint8Array.from({ length: 8 }, () => randomInteger(random, 0, 255));
  const fields = [
    "Upgrade: WebSocket",
    "Connection: Upgrade",
    `Host: ${host}`,
    `Origin: ${originOf(options)}`,
    `Sec-WebSocket-Key1: ${first.key}`,
    `Sec-WebSocket-Key2: ${second.key}`,
    ...(subprotocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
    ...extra,
  ];
  return {
    head: [`GET ${resource} HTTP/1.1`, ...shuffle(fields, random), "", ""].join("\r\n"),
    key3,
    challengeResponse: challengeResponse(first.number, second.number, key3),
  };
}

/** A key and the number hidden in it (W76, client steps 16 to 22). */
export function makeKey(random: () => number): { key: string; number: number } {
  const spaces = randomInteger(random, 1, 12);
  const number = randomInteger(random, 0, Math.floor(0xffff_ffff / spaces));
  let key = String(number * spaces);
  for (let left = randomInteger(random, 1, 12); left > 0; left--) {
    key = insert(key, randomInteger(random, 0, key.length), randomFiller(random));
  }
  for (let left = spaces; left > 0; left--) {
    // "other than the start or end of the string"
    key = insert(key, randomInteger(random, 1, key.length - 1), " ");
  }
  return { key, number };
}

/** A character from U+0021 to U+002F or U+003A to U+007E: no space, no digit. */
function randomFiller(random: () => number): string {
  const index = randomInteger(random, 0, 15 + 69 - 1);
  return String.fromCharCode(index < 15 ? 0x21 + index : 0x3a + index - 15);
}

function insert(text: string, at: number, character: string): string {
  return text.slice(0, at) + character + text.slice(at);
}

function randomInteger(random: () => number, lowest: number, highest: number): number {
  return lowest + Math.floor(random() * (highest - lowest + 1));
}

function shuffle(items: readonly string[], random: () => number): string[] {
  return items.map((item) => ({ item, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

function challengeResponse(first: number, second: number, key3: Uint8Array): Uint8Array {
  const challenge = new Uint8Array(16);
  const view = new DataView(challenge.buffer);
  view.setUint32(0, first);
  view.setUint32(4, second);
  challenge.set(key3, 8);
  return new Uint8Array(createHash("md5").update(challenge).digest());
}

function urlOf({ url, port, host = "127.0.0.1" }: Draft76Options): string {
  return url ?? `ws://${host}:${port}/`;
}

function originOf(options: Draft76Options): string {
  return options.origin ?? `http://${parseUrl(urlOf(options)).host}`;
}

/** The Host field and the resource name of a URL. Their text is not normalized. */
function parseUrl(url: string): { host: string; resource: string } {
  const [, host = "", resource = ""] = /^wss?:\/\/([^/?]*)(.*)$/.exec(url) ?? [];
  return { host, resource: resource.startsWith("/") ? resource : `/${resource}` };
}

/** Parses a response head as strictly as W76 requires (client steps 28 to 40). */
export function parseResponse(head: Uint8Array): Draft76Response {
  const text = new TextDecoder("utf-8", { fatal: true }).decode(head);
  const [statusLine = "", ...lines] = text.slice(0, -4).split("\r\n");
  if (/[\r\n]/.test(`${statusLine}${lines.join("")}`)) {
    throw new Error(`Cannot read the answer ${JSON.stringify(text)}: a stray CR or LF`);
  }
  const fields = lines.map((line): [string, string] => {
    const [, name, value] = /^([^:]+): ?(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) {
      throw new Error(`Cannot read the field ${JSON.stringify(line)}: no name`);
    }
    return [name.toLowerCase(), value];
  });
  return { statusLine, fields };
}

/** Checks a response head (W76, client steps 30 and 41). */
function checkResponse(response: Draft76Response, options: Draft76Options): void {
  const { statusLine, fields } = response;
  if (!/^[^ ]+ 101 /.test(statusLine)) throw new Error(`The status line is "${statusLine}"`);
  const { host, resource } = parseUrl(urlOf(options));
  const scheme = urlOf(options).startsWith("wss:") ? "wss" : "ws";
  const wanted: Record<string, string> = {
    "upgrade": "WebSocket",
    "connection": "upgrade",
    "sec-websocket-origin": originOf(options),
    "sec-websocket-location": `${scheme}://${host}${resource}`,
  };
  if (options.subprotocol !== undefined) wanted["sec-websocket-protocol"] = options.subprotocol;
  for (const [name, expected] of Object.entries(wanted)) {
    const values = fields.filter(([field]) => field === name).map(([, value]) => value);
    // Only the value of Connection is compared without regard to case.
    const actual = name === "connection" ? values.map((value) => value.toLowerCase()) : values;
    if (actual.length !== 1 || actual[0] !== expected) {
      throw new Error(`${name} is ${JSON.stringify(values)}, not one "${expected}"`);
    }
  }
}

function checkChallenge(actual: Uint8Array, expected: Uint8Array): void {
  if (actual.some((byte, index) => byte !== expected[index])) {
    throw new Error(`The challenge response is ${actual}, not ${expected}`);
  }
}
