/**
 * Tornado's chat demo with more features: rooms by URL, names, a list of who is there, and the last
 * 50 messages. Browsers from 2010 to today can use the same room. A page that was disconnected gets
 * what it has missed.
 *
 *     deno run --allow-net examples/chat.ts [port [redis]]
 *     bun run examples/chat.ts [port [redis]]
 *     node examples/chat.ts [port [redis]]
 *
 * Open http://localhost:8888/chat/lobby in two tabs. Any other word after /chat/ is another room.
 *
 * With the URL of a Redis server (`redis://localhost:6379`), several processes serve the same rooms.
 * Behind a proxy, the pages of a process that is killed go on with another one. The client comes from
 * npm: `redis`. On Deno, it needs `-A` in place of `--allow-net`.
 */
import process from "node:process";
import {
  Application,
  type Broker,
  HttpError,
  type Position,
  WebSocketHandler,
} from "@waterspout/websocket";
import { redisStreamsBroker } from "@waterspout/websocket/brokers/redis_streams";
import { chatPage } from "./pages/chat.ts";

/** How many messages of a room are kept, and for how long, in milliseconds. */
const KEPT_MESSAGES = 50;
const KEPT_TIME = 60 * 60 * 1000;
const MAX_ROOM_LENGTH = 64;
const MAX_NAME_LENGTH = 24;
const MAX_KEY_LENGTH = 64;
const MAX_TEXT_LENGTH = 1000;

interface ChatMessage {
  readonly name: string;
  readonly text: string;
  /** When the message was sent, in milliseconds since 1970. */
  readonly time: number;
}

/** What pages get of a message. A page that comes back sends the position of the last one. */
function format(message: string | Uint8Array, position: Position): Record<string, unknown> {
  return { type: "said", ...JSON.parse(String(message)) as ChatMessage, position };
}

/**
 * A member of a room: `/chat/:room?name=NAME`. A page also sends a `key` of its own, so that it is
 * still the same member when it comes back, and then the position (`epoch` and `offset`) of its last
 * message.
 */
class ChatHandler extends WebSocketHandler<unknown, { readonly room: string }> {
  #name = "";
  #key = "";
  #since: Position | undefined;

  override prepare(): void {
    this.#name = this.getArgument("name", "").trim();
    if (this.#name === "" || this.#name.length > MAX_NAME_LENGTH) {
      throw new HttpError(400, `A name must have 1 to ${MAX_NAME_LENGTH} characters`);
    }
    if (this.params.room.length > MAX_ROOM_LENGTH) {
      throw new HttpError(404, "No room has such a name");
    }
    this.#key = this.getArgument("key", "") || crypto.randomUUID();
    if (this.#key.length > MAX_KEY_LENGTH) throw new HttpError(400, "The key is too long");
    const epoch = this.getArgument("epoch", "");
    const offset = Number(this.getArgument("offset", ""));
    if (epoch.length > 64 || !Number.isSafeInteger(offset) || offset < 0) {
      throw new HttpError(400, "This is no position");
    }
    if (epoch !== "") this.#since = { epoch, offset };
  }

  get #topic(): string {
    return `chat/${this.params.room}`;
  }

  override async open(): Promise<void> {
    // The page tries again.
    if (broker?.status === "down") return this.close(1013);
    this.#name = await this.#freeName();
    const since = this.#since;
    // What the page has missed is sent here. The page shows it when it gets the welcome.
    const { recovered, position } = await this.subscribe(this.#topic, {
      since,
      presence: { id: this.#key, info: { name: this.#name } },
      onPresence: () => this.#tellWhoIsHere(),
      onGap: () => this.writeMessage({ type: "gap" }),
    });
    // Redis has not answered.
    if (position === undefined) return this.close(1013);
    this.writeMessage({
      type: "welcome",
      name: this.#name,
      position,
      recovered,
      lost: since !== undefined && !recovered,
      messages: recovered ? [] : await this.#messagesUpTo(position),
    });
    await this.#tellWhoIsHere();
  }

  /** Adds a number to the name if somebody else has it. Two who enter at once may get the same. */
  async #freeName(): Promise<string> {
    const others = (await this.application.presence(this.#topic))
      .filter(({ id }) => id !== this.#key);
    const names = new Set(others.map(({ info }) => (info as { name: string }).name));
    let name = this.#name;
    for (let number = 2; names.has(name); number++) name = `${this.#name} ${number}`;
    return name;
  }

  async #messagesUpTo({ offset }: Position): Promise<unknown[]> {
    const { messages } = await this.application.history(this.#topic);
    return messages.filter(({ position }) => position.offset <= offset)
      .map(({ message, position }) => format(message, position));
  }

  async onMessage(message: string | Uint8Array): Promise<void> {
    const text = typeof message === "string" ? message.trim() : "";
    if (text === "" || text.length > MAX_TEXT_LENGTH) return;
    const said: ChatMessage = { name: this.#name, text, time: Date.now() };
    const { position } = this.application.publish(this.#topic, { ...said });
    await position.catch(() => this.writeMessage({ type: "unsent", text }));
  }

  async #tellWhoIsHere(): Promise<void> {
    const people = await this.application.presence(this.#topic);
    const names = people.map(({ info }) => (info as { name: string }).name).sort();
    this.writeMessage({ type: "here", names });
  }
}

function answer(request: Request): Response {
  const { pathname } = new URL(request.url);
  if (pathname === "/") {
    return new Response(null, { status: 302, headers: { location: "/chat/lobby" } });
  }
  if (!/^\/chat\/[^/]{1,64}$/.test(pathname)) return new Response("Not found\n", { status: 404 });
  return new Response(chatPage, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      // The page loads nothing from elsewhere. Some browsers do not count "ws:" as 'self'.
      "content-security-policy": "default-src 'self' 'unsafe-inline' ws: wss:",
    },
  });
}

async function join(url: string): Promise<Broker> {
  const { createClient } = await import("redis");
  return await redisStreamsBroker(createClient({ url }));
}

const [port = "8888", redis] = process.argv.slice(2);
const broker = redis === undefined ? undefined : await join(redis);
const app = new Application([["/chat/:room", ChatHandler]], {
  broker,
  history: { "chat/*": { size: KEPT_MESSAGES, ttl: KEPT_TIME, maxBytes: 256 * 1024, format } },
  fetch: answer,
  maxMessageSize: 4 * MAX_TEXT_LENGTH,
});

const server = app.listen({
  port,
  onListen: ({ port }) => console.log(`http://localhost:${port}/chat/lobby`),
});

async function stop(): Promise<void> {
  await server.shutdown();
  await broker?.close();
}
process.once("SIGINT", () => void stop());
process.once("SIGTERM", () => void stop());
