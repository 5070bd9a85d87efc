/**
 * Tornado's chat demo with more features: rooms by URL, names, a list of members, and the last 50
 * messages. Browsers from 2010 to today can use the same room.
 *
 *     deno run --allow-net examples/chat.ts [port]
 *     bun run examples/chat.ts [port]
 *     node examples/chat.ts [port]
 *
 * Open http://localhost:8888/chat/lobby in two tabs. Any other word after /chat/ is another room.
 */
import process from "node:process";
import { Application, HttpError, WebSocketHandler } from "@waterspout/websocket";
import { chatPage } from "./pages/chat.ts";

/** How many old messages a new member gets. */
const KEPT_MESSAGES = 50;
/** How many rooms are kept; above that, empty ones are deleted. */
const KEPT_ROOMS = 100;
const MAX_ROOM_LENGTH = 64;
const MAX_NAME_LENGTH = 24;
const MAX_TEXT_LENGTH = 1000;

interface ChatMessage {
  readonly name: string;
  readonly text: string;
  /** When the message was sent, in milliseconds since 1970. */
  readonly time: number;
}

/** A room with its messages and members. */
class Room {
  readonly messages: ChatMessage[] = [];
  readonly names: Set<string> = new Set();

  /** Adds a message. Deletes the oldest if there are too many. */
  keep(message: ChatMessage): void {
    this.messages.push(message);
    if (this.messages.length > KEPT_MESSAGES) this.messages.shift();
  }

  /** Adds a member. If the name is in use, adds a number to it. */
  enter(wanted: string): string {
    let name = wanted;
    for (let number = 2; this.names.has(name); number++) name = `${wanted} ${number}`;
    this.names.add(name);
    return name;
  }
}

/** The rooms by name. The last used room is at the end. */
class Rooms {
  readonly #rooms: Map<string, Room> = new Map();

  /** Returns the room with a name. If there are too many rooms, deletes an empty one. */
  get(name: string): Room {
    const room = this.#rooms.get(name) ?? new Room();
    this.#rooms.delete(name);
    this.#rooms.set(name, room);
    if (this.#rooms.size > KEPT_ROOMS) this.#forgetOne();
    return room;
  }

  #forgetOne(): void {
    for (const [name, room] of this.#rooms) {
      if (room.names.size === 0 && this.#rooms.delete(name)) return;
    }
  }
}

/** A member of a room: `/chat/:room?name=NAME`. */
class ChatHandler extends WebSocketHandler<{ readonly rooms: Rooms }> {
  #name = "";

  override prepare(): void {
    const name = this.getArgument("name", "").trim();
    if (!name || name.length > MAX_NAME_LENGTH) {
      throw new HttpError(400, `A name must have 1 to ${MAX_NAME_LENGTH} characters`);
    }
    if (this.#topic.length > MAX_ROOM_LENGTH) throw new HttpError(404, "No room has such a name");
    this.#name = name;
  }

  get #room(): Room {
    return this.options.rooms.get(this.#topic);
  }

  get #topic(): string {
    return this.params["room"] ?? "";
  }

  override open(): void {
    this.#name = this.#room.enter(this.#name);
    this.subscribe(this.#topic);
    this.writeMessage({ type: "welcome", name: this.#name, messages: this.#room.messages });
    this.#tellWhoIsHere();
  }

  onMessage(message: string | Uint8Array): void {
    const text = typeof message === "string" ? message.trim() : "";
    if (text === "" || text.length > MAX_TEXT_LENGTH) return;
    const said: ChatMessage = { name: this.#name, text, time: Date.now() };
    this.#room.keep(said);
    this.application.publish(this.#topic, { type: "said", ...said });
  }

  override onClose(): void {
    this.#room.names.delete(this.#name);
    this.#tellWhoIsHere();
  }

  #tellWhoIsHere(): void {
    this.application.publish(this.#topic, { type: "here", names: [...this.#room.names] });
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

const app = new Application([["/chat/:room", ChatHandler, { rooms: new Rooms() }]], {
  fetch: answer,
  maxMessageSize: 4 * MAX_TEXT_LENGTH,
});

const server = app.listen({
  port: Number(process.argv[2] ?? 8888),
  onListen: ({ port }) => console.log(`http://localhost:${port}/chat/lobby`),
});
process.once("SIGINT", () => void server.shutdown());
process.once("SIGTERM", () => void server.shutdown());
