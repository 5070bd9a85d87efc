/**
 * Connections for the conformance suite: a transport under test and, at the other end, a peer that the
 * test controls.
 *
 * @module
 */
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { type DenoConn, denoTransport } from "../../src/transport/deno.ts";
import { listen } from "../../src/transport/listen.ts";
import { memoryPair, type MemoryPairOptions } from "../../src/transport/memory.ts";
import type {
  Acceptor,
  Listener,
  ListenerOptions,
  Transport,
} from "../../src/transport/transport.ts";
import { runtime } from "../support/runtime.ts";
import { Pattern } from "./pattern.ts";
import { Recorder, Watched } from "./recorder.ts";

/** The other end of a connection. It checks what arrives as {@linkcode Recorder} does. */
export abstract class Peer extends Watched {
  /** Checks the bytes that arrive. */
  readonly expected: Pattern = new Pattern();
  /** How many bytes have arrived. */
  received = 0;
  /** Whether all of these bytes were right. */
  intact = true;
  /** Whether the transport's FIN has arrived. */
  ended = false;
  /** Whether the connection is gone. */
  gone = false;
  /** Called with each chunk, after it is checked. */
  onData: () => void = () => {};

  /** Bytes written that the system has not accepted yet. */
  abstract readonly bufferedAmount: number;
  /** Sends bytes. */
  abstract write(bytes: Uint8Array): void;
  /** Sends FIN. */
  abstract end(): void;
  /** Stops reading. */
  abstract pause(): void;
  /** Resumes reading. */
  abstract resume(): void;
  /** Resets the connection. */
  abstract reset(): void;
  /** Ends the connection at once. */
  abstract destroy(): void;

  /** Records and checks a received chunk. */
  protected data(chunk: Uint8Array): void {
    this.received += chunk.length;
    this.intact &&= this.expected.check(chunk);
    this.onData();
    this.changed();
  }
}

/** A connection under test. */
export interface Connection {
  readonly recorder: Recorder;
  readonly peer: Peer;
}

/** A way to connect. */
export interface Link {
  /** Whether it is TLS. */
  readonly secure: boolean;
  /** Whether its ends have ports. */
  readonly kind: "tcp" | "unix";
  /** Whether a peer can reset it. A unix socket has no reset. */
  readonly resets: boolean;
  /** Whether a paused connection that has sent FIN still keeps the peer's bytes and FIN. */
  readonly holdsAfterFin: boolean;
  /** Makes a connection. */
  connect(): Promise<Connection>;
  /** Ends the listener, if there is one, and every connection. */
  close(): Promise<void>;
}

/** The key and certificate of "localhost" for tests, valid until 2120. */
export const credentials: { readonly cert: string; readonly key: string } = {
  cert: readFileSync(new URL("../support/tls/cert.pem", import.meta.url), "utf8"),
  key: readFileSync(new URL("../support/tls/key.pem", import.meta.url), "utf8"),
};

/** A peer over a transport. */
class TransportPeer extends Peer {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    super();
    this.#transport = transport;
    transport.events = {
      data: (chunk) => this.data(chunk),
      drain: () => this.changed(),
      end: () => {
        this.ended = true;
        this.changed();
      },
      closed: () => {
        this.gone = true;
        this.changed();
      },
    };
  }

  get bufferedAmount(): number {
    return this.#transport.bufferedAmount;
  }
  write(bytes: Uint8Array): void {
    this.#transport.write(bytes, false);
  }
  end(): void {
    this.#transport.end();
  }
  pause(): void {
    this.#transport.pause();
  }
  resume(): void {
    this.#transport.resume();
  }
  reset(): void {
    this.#transport.destroy();
  }
  destroy(): void {
    this.#transport.destroy();
  }
}

class SocketPeer extends Peer {
  readonly #socket: Socket;
  /** The TCP socket, under TLS too. */
  readonly #raw: Socket;

  constructor(socket: Socket, raw: Socket) {
    super();
    this.#socket = socket;
    this.#raw = raw;
    socket.on("data", (chunk: Uint8Array) => this.data(chunk));
    socket.on("drain", () => this.changed());
    socket.on("error", () => {});
    socket.on("end", () => {
      this.ended = true;
      this.changed();
    });
    socket.on("close", () => {
      this.gone = true;
      this.changed();
    });
  }

  get bufferedAmount(): number {
    return this.#socket.writableLength;
  }
  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }
  end(): void {
    this.#socket.end();
  }
  pause(): void {
    this.#socket.pause();
  }
  resume(): void {
    this.#socket.resume();
  }
  reset(): void {
    // A unix socket has no ports and no reset.
    if (this.#raw.remotePort === undefined) this.destroy();
    else this.#raw.resetAndDestroy();
  }
  destroy(): void {
    this.#socket.destroy();
    this.#raw.destroy();
  }
}

/** A {@linkcode Link} of memory pairs. */
export function memoryLink(options: MemoryPairOptions = {}): Link {
  return {
    secure: false,
    kind: "tcp",
    resets: true,
    holdsAfterFin: true,
    connect: () => {
      const [ours, theirs] = memoryPair(options);
      return Promise.resolve({ recorder: new Recorder(ours), peer: new TransportPeer(theirs) });
    },
    close: () => Promise.resolve(),
  };
}

/** Where a peer connects to: a port of 127.0.0.1, or a path. */
export type Place = Pick<ListenerOptions, "port" | "path">;

/** Connects a peer, with TLS if `secure`. */
export async function connectPeer(place: Place, secure: boolean): Promise<Peer> {
  // Deno's node:tls does not report the end of a paused connection.
  if (secure && runtime === "deno") return await connectDenoTls(place.port ?? 0);
  const { port = 0, path } = place;
  const to = path === undefined ? { port, host: "127.0.0.1" } : { path };
  const raw = connectTcp({ ...to, allowHalfOpen: true });
  await once(raw, "connect");
  raw.on("error", () => {});
  if (!secure) return new SocketPeer(raw, raw);
  const { cert: ca } = credentials;
  const options = { socket: raw, ca, servername: "localhost", allowHalfOpen: true };
  const socket = connectTls(options);
  await once(socket, "secureConnect");
  return new SocketPeer(socket, raw);
}

/** The part of the `Deno` namespace that is used. */
interface DenoTls {
  connectTls(options: { hostname: string; port: number; caCerts: string[] }): Promise<DenoConn>;
}

async function connectDenoTls(port: number): Promise<Peer> {
  const { Deno } = globalThis as unknown as { Deno: DenoTls };
  const caCerts = [credentials.cert];
  const conn = await Deno.connectTls({ hostname: "localhost", port, caCerts });
  await conn.handshake?.();
  return new TransportPeer(denoTransport(conn));
}

/** Starts a listener for the links' connections. */
type Listen = (options: ListenerOptions, accept: Acceptor) => Listener;

/** Listens with an option that makes every runtime use `node:tls`. */
export function listenNodeTls(options: ListenerOptions, accept: Acceptor): Listener {
  return listen({ ...options, renewable: true }, accept);
}

/**
 * A {@linkcode Link} over the runtime's own sockets.
 *
 * @param greeting The first bytes of each peer. The listener removes them.
 */
export function socketLink(
  kind: "tcp" | "unix",
  secure: boolean,
  listenWith: Listen = listen,
  greeting: Uint8Array = new Uint8Array(0),
): Link {
  const folder = mkdtempSync(join(tmpdir(), "waterspout-"));
  const accepted: Recorder[] = [];
  const peers: Peer[] = [];
  const arrivals = new Watched();
  const place = kind === "tcp" ? { port: 0 } : { path: join(folder, "socket") };
  const options = { hostname: "127.0.0.1", ...place, ...(secure ? credentials : {}) };
  const listener = listenWith(options, (transport) => {
    accepted.push(new Recorder(transport));
    arrivals.changed();
  });
  return {
    secure,
    kind,
    resets: kind === "tcp" && !(secure && runtime === "deno"),
    // Sockets of node:http and of Deno's node:tls close at the second FIN, even while paused. This is
    // harmless: no WebSocket is paused after its own FIN.
    holdsAfterFin: listenWith === listenNodeTls
      ? runtime !== "deno"
      : greeting.length === 0 || runtime === "node" || (runtime === "deno" && !secure),
    connect: async () => {
      await listener.listening;
      const to = kind === "tcp" ? { port: listener.address.port } : place;
      const peer = await connectPeer(to, secure);
      peers.push(peer);
      if (greeting.length > 0) peer.write(greeting);
      await arrivals.until(() => accepted.length === peers.length, "a connection");
      const recorder = accepted.at(-1);
      if (recorder === undefined) throw new Error("No connection");
      return { recorder, peer };
    },
    close: async () => {
      listener.close();
      for (const peer of peers) peer.destroy();
      for (const recorder of accepted) {
        recorder.transport.destroy();
        await recorder.until(() => recorder.gone, "closed");
      }
      rmSync(folder, { recursive: true });
    },
  };
}
