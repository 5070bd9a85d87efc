/**
 * The server that clients of other languages talk with: `server.ts`, on any runtime. It prints
 * `ready PORT`, echoes messages at `/CLIENT/COMPRESSION`, and answers a plain GET of the same path with
 * what it has seen there, in JSON, as soon as all connections to it have ended.
 *
 * @module
 */
import { Application, type CompressionOptions, WebSocketHandler } from "../../../mod.ts";
import { WEBSOCKET_VERSIONS } from "../../../src/handshake/versions.ts";

/** What the server has seen of one connection. */
export interface Seen {
  readonly version: string;
  readonly subprotocol?: string | undefined;
  /** The messages: `text 5` or `binary 126`, with the size in characters or bytes. */
  readonly messages: string[];
  /** The payloads of the client's pings and pongs. */
  readonly pings: string[];
  readonly pongs: string[];
  /** Who ended the connection, the close code and the reason. */
  end: string;
}

/** The connections to a path. */
class Visits {
  readonly seen: Seen[] = [];
  readonly ends: Promise<unknown>[] = [];
}

const visits = new Map<string, Visits>();

/** How messages are compressed, by the last part of the path. */
const COMPRESSION: Readonly<Record<string, CompressionOptions>> = {
  messages: { threshold: 0 },
  takeover: { threshold: 0, contextTakeover: true },
};

class Echo extends WebSocketHandler<unknown, { client: string; compression: string }> {
  #seen: Seen | undefined;

  get #record(): Seen {
    this.#seen ??= {
      version: this.version,
      subprotocol: this.selectedSubprotocol,
      messages: [],
      pings: [],
      pongs: [],
      end: "",
    };
    return this.#seen;
  }

  override checkOrigin(): boolean {
    return true;
  }
  override selectSubprotocol(offered: readonly string[]): string | undefined {
    return offered.includes("chat") ? "chat" : undefined;
  }
  override getCompressionOptions(): CompressionOptions | undefined {
    return COMPRESSION[this.params.compression];
  }
  override open(): void {
    const own = visitsTo(new URL(this.request.url).pathname);
    own.seen.push(this.#record);
    own.ends.push(this.closed);
  }
  override onMessage(message: string | Uint8Array): void {
    this.#record.messages.push(
      `${typeof message === "string" ? "text" : "binary"} ${message.length}`,
    );
    if (message === "ping me") this.ping("and you");
    else if (message === "close me") this.close(4321, "as you wish");
    else this.writeMessage(message);
  }
  override onPing(payload: Uint8Array): void {
    this.#record.pings.push(new TextDecoder().decode(payload));
  }
  override onPong(payload: Uint8Array): void {
    this.#record.pongs.push(new TextDecoder().decode(payload));
    this.writeMessage("ponged");
  }
  override onClose(): void {
    const { by, code, reason } = this.ended ?? { by: "nobody", code: 0, reason: "" };
    this.#record.end = `${by} ${code} ${reason}`.trim();
  }
}

function visitsTo(path: string): Visits {
  const own = visits.get(path) ?? new Visits();
  visits.set(path, own);
  return own;
}

const app = new Application([["/:client/:compression", Echo]], {
  versions: WEBSOCKET_VERSIONS,
  fetch: async (request) => {
    const { seen, ends } = visitsTo(new URL(request.url).pathname);
    await Promise.all(ends);
    return Response.json(seen);
  },
});
const server = app.listen({ port: 0, hostname: "127.0.0.1" });
await server.listening;
console.log(`ready ${server.addr.port}`);
