/**
 * A TCP proxy that splits, delays and cuts what it forwards. The seed of the run and the path of the
 * request decide how.
 *
 * @module
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { latin1Text } from "./bytes.ts";
import { randomFor, randomInteger } from "./random.ts";

/**
 * What becomes of a connection:
 *
 * - `whole`: it is not cut;
 * - `reset`: both ends get a reset;
 * - `fin`: both ends get a FIN;
 * - `server gone`: the client gets a FIN, and the server a reset;
 * - `silent`: nothing is forwarded for a while, and then both ends get a reset.
 */
export type Fate = "whole" | "reset" | "fin" | "server gone" | "silent";

const CUTS: readonly Fate[] = ["reset", "fin", "server gone", "silent"];

/** The share of connections that are cut. */
const CUT_SHARE = 0.3;

/** The most bytes that are forwarded before a cut. The shortest cuts are within the handshake. */
const CUT_WITHIN = 40_000;

/** The longest delay of a piece, in milliseconds, and the share of delayed pieces. */
const DELAY = 4;
const DELAYED = 0.05;

/** How long a silent connection lasts, in milliseconds. */
const SILENCE = 200;

/** How much may wait in each direction before the proxy stops reading, in bytes. */
const HIGH_WATER = 128 * 1024;

/** The sockets that {@linkcode reset} has reset. */
const resets = new WeakSet<Socket>();

/**
 * Resets a connection. Node never closes a socket whose `destroy` comes while `resetAndDestroy` waits, or
 * whose `resetAndDestroy` comes while `end` waits. Such a process does not exit.
 */
function reset(socket: Socket): void {
  if (socket.destroyed || resets.has(socket)) return;
  resets.add(socket);
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** One direction of a connection. */
class Direction {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #link: Link;
  readonly #queue: Uint8Array[] = [];
  #waiting = 0;
  #ended = false;
  #isPumping = false;

  constructor(from: Socket, to: Socket, link: Link) {
    this.#from = from;
    this.#to = to;
    this.#link = link;
    from.setNoDelay(true);
    from.on("data", (chunk: Uint8Array) => this.#received(chunk));
    from.on("end", () => {
      this.#ended = true;
      void this.#pump();
    });
    // A reset goes on to the other end.
    from.on("error", () => reset(to));
    // After a FIN, what still waits is forwarded first.
    from.on("close", () => {
      if (!this.#ended && !resets.has(to)) to.destroySoon();
    });
  }

  #received(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const size = this.#link.pieceSize();
      this.#queue.push(chunk.slice(at, at + size));
      at += size;
    }
    this.#waiting += chunk.length;
    if (this.#waiting > HIGH_WATER) this.#from.pause();
    void this.#pump();
  }

  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    for (let piece = this.#queue.shift(); piece !== undefined; piece = this.#queue.shift()) {
      await this.#link.beforePiece();
      this.#waiting -= piece.length;
      if (this.#waiting <= HIGH_WATER) this.#from.resume();
      this.#to.write(this.#link.allowed(piece));
      if (this.#to.writableLength > HIGH_WATER) await this.#drained();
    }
    this.#isPumping = false;
    if (this.#ended) this.#to.end();
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const settle = () => {
        this.#to.off("drain", settle);
        this.#to.off("close", settle);
        resolve();
      };
      this.#to.once("drain", settle);
      this.#to.once("close", settle);
    });
  }
}

/** One connection through the proxy. */
class Link {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #fates: Map<string, Fate>;
  readonly #name: string;
  #random: (() => number) | null = null;
  #head = "";
  #longest = 1;
  #left = Infinity;
  #fate: Fate = "whole";

  constructor(client: Socket, server: Socket, { name, fates }: LinkOptions) {
    this.#client = client;
    this.#server = server;
    this.#name = name;
    this.#fates = fates;
    client.on("data", (chunk: Uint8Array) => this.#look(chunk));
    new Direction(client, server, this);
    new Direction(server, client, this);
  }

  /** Reads the path, on which the fate depends. It is in the first bytes. */
  #look(chunk: Uint8Array): void {
    if (this.#random !== null) return;
    this.#head += latin1Text(chunk);
    const [, path] = /^\S+ (\S+) /.exec(this.#head) ?? [];
    if (path === undefined) return;
    const random = this.#random = randomFor(`${this.#name} ${path}`);
    this.#longest = [1, 20, 500, 5000, 100_000][randomInteger(random, 5)] ?? 1;
    if (random() < CUT_SHARE) {
      this.#fate = CUTS[randomInteger(random, CUTS.length)] ?? "reset";
      this.#left = Math.ceil(random() ** 3 * CUT_WITHIN);
    }
    this.#fates.set(path, this.#fate);
  }

  /** How long the next piece is. A long message is not cut into very short ones. */
  pieceSize(): number {
    const shortest = this.#head.length > 0 && this.#random !== null && this.#pieces++ > 400
      ? 2000
      : 1;
    return shortest + randomInteger(this.#random ?? (() => 0), this.#longest);
  }
  #pieces = 0;

  /** Delays some pieces. */
  beforePiece(): Promise<void> | void {
    const random = this.#random;
    if (random !== null && random() < DELAYED) return pause(random() * DELAY);
  }

  /** Returns what of a piece is forwarded. Cuts the connection when it is time. */
  allowed(piece: Uint8Array): Uint8Array {
    const allowed = piece.subarray(0, this.#left);
    const isOver = this.#left <= 0;
    this.#left -= allowed.length;
    if (!isOver && this.#left <= 0) setTimeout(() => this.#cut(), 0);
    return allowed;
  }

  #cut(): void {
    const [client, server] = [this.#client, this.#server];
    if (this.#fate === "reset") this.#reset();
    else if (this.#fate === "silent") setTimeout(() => this.#reset(), SILENCE);
    else {
      client.end();
      if (this.#fate === "fin") server.end();
      else reset(server);
      setTimeout(() => this.#reset(), SILENCE);
    }
  }

  #reset(): void {
    reset(this.#client);
    reset(this.#server);
  }
}

interface LinkOptions {
  readonly name: string;
  readonly fates: Map<string, Fate>;
}

/** One proxy. A test that starts one ends it with `stop`. */
export class ChaosProxy {
  /** What became of each connection, by the path of its request. */
  readonly fates: Map<string, Fate> = new Map();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: number, name: string) {
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
      const server = connect({ port: target, host: "127.0.0.1", allowHalfOpen: true });
      for (const socket of [client, server]) {
        this.#sockets.add(socket);
        socket.on("close", () => this.#sockets.delete(socket));
      }
      new Link(client, server, { name, fates: this.fates });
    });
  }

  /** Starts a proxy for a port of 127.0.0.1. Its random numbers depend on the seed and `name`. */
  static start(target: number, name: string): Promise<ChaosProxy> {
    const proxy = new ChaosProxy(target, name);
    return new Promise((resolve) => {
      proxy.#server.listen(0, "127.0.0.1", () => resolve(proxy));
    });
  }

  /** Its port on 127.0.0.1. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends its connections, and stops. */
  stop(): Promise<void> {
    for (const socket of this.#sockets) if (!resets.has(socket)) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
