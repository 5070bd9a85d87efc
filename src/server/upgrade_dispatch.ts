/**
 * Decides who gets the `upgrade` requests of an HTTP server: our attachments, or the other listeners.
 *
 * A listener cannot hide an event from the listeners after it: `emit` copies their list before it calls
 * the first one. The others must not see our requests: `ws` answers unknown paths with 400, and engine.io
 * ends sockets after a second. So `emit` of this server is replaced. The new one serves our requests, and
 * emits all other events as before.
 *
 * @module
 */
import type { RequestHead } from "../handshake/request_head.ts";
import type { UpgradeSocket } from "../transport/attach.ts";
import { sessionStarted, type StreamClaimant, takeStream } from "./stream_dispatch.ts";
import { asksForWebSocket, headOf, type UpgradeRequest } from "./upgrade_request.ts";

/**
 * An HTTP server. An `http.Server`, an `https.Server` and a server of `node:http2` fit.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { createServer } from "node:http";
 * import type { UpgradeServer } from "@waterspout/websocket";
 *
 * const server: UpgradeServer = createServer();
 * assert(server.listeners("upgrade").length === 0);
 * ```
 */
export interface UpgradeServer {
  /** Calls the listeners of an event. It is replaced until `Attachment.detach()`. */
  emit(event: string, ...args: unknown[]): boolean;
  /** Returns the listeners of an event. */
  listeners(event: string): unknown[];
  /** Adds a listener. */
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  /** Removes a listener. */
  removeListener(event: string, listener: (...args: unknown[]) => void): unknown;
}

/** The option of `http.createServer`, since Node 24.9: whether to emit `upgrade` for a request. */
type ShouldUpgrade = (this: UpgradeServer, request: UpgradeRequest) => boolean;

/** A server, with the properties that we replace. */
interface Patched extends UpgradeServer {
  [DISPATCH]?: UpgradeDispatch;
  shouldUpgradeCallback?: ShouldUpgrade;
}

/** An `upgrade` event. */
export interface Upgrade {
  /** The request of the HTTP server. */
  readonly request: UpgradeRequest;
  /** The head of the request. */
  readonly head: RequestHead;
  /** The socket. */
  readonly socket: UpgradeSocket;
  /** The bytes that were read after the head. */
  readonly rest: Uint8Array;
}

/**
 * Whether a request belongs to an attachment:
 * - `ours`: yes, it is a WebSocket handshake with a matching route;
 * - `unknown`: no, it is not a WebSocket handshake, or no route matches;
 * - `passed`: no, the option `passThrough` passes it to the other listeners;
 * - `failed`: unknown, because `passThrough` threw.
 */
export type Claim = "ours" | "unknown" | "passed" | "failed";

/** The part of an attachment that its server uses. */
export interface Claimant extends StreamClaimant {
  /** Decides whether a request belongs to the attachment. */
  claim(request: UpgradeRequest, head: RequestHead): Claim;
  /** Serves a request, or refuses it. */
  serve(upgrade: Upgrade, claim: Claim): void;
}

/** A request, and the claim of an attachment. */
interface Decision {
  readonly request: UpgradeRequest;
  readonly head: RequestHead;
  readonly claimant: Claimant;
  readonly claim: Claim;
}

/** The dispatch of a server with attachments, in the server itself. */
const DISPATCH: unique symbol = Symbol("waterspout dispatch");

/** The attachments of one server. */
export class UpgradeDispatch {
  readonly #server: Patched;
  readonly #claimants: Set<Claimant> = new Set();
  readonly #previous: Pick<Patched, "emit" | "shouldUpgradeCallback">;
  /** Whether `emit` was an own property of the server: another library has replaced it. */
  readonly #ownsEmit: boolean;
  readonly #ownsShouldUpgrade: boolean;
  /** The last decision of `shouldUpgradeCallback`. `emit` is called right after it. */
  #decision: Decision | null = null;
  /** Requests that were passed to the other listeners. */
  readonly #passed: WeakSet<object> = new WeakSet();

  private constructor(server: Patched) {
    this.#server = server;
    const { emit, shouldUpgradeCallback } = server;
    this.#previous = { emit, ...(shouldUpgradeCallback && { shouldUpgradeCallback }) };
    this.#ownsEmit = Object.hasOwn(server, "emit");
    this.#ownsShouldUpgrade = Object.hasOwn(server, "shouldUpgradeCallback");
    server.emit = this.#emit;
    server.shouldUpgradeCallback = this.#shouldUpgrade;
    this.#listen();
  }

  /** Adds an attachment to a server. The first one that claims a request gets it. */
  static add(server: Patched, claimant: Claimant): void {
    server[DISPATCH] ??= new UpgradeDispatch(server);
    server[DISPATCH].#claimants.add(claimant);
  }

  /** Removes an attachment. After the last one, restores the server. */
  static delete(server: Patched, claimant: Claimant): void {
    const dispatch = server[DISPATCH];
    if (dispatch === undefined) return;
    dispatch.#claimants.delete(claimant);
    if (dispatch.#claimants.size === 0) dispatch.#restore();
  }

  readonly #emit = (event: string, ...args: unknown[]): boolean => {
    if (event === "upgrade" && this.#take(args)) return true;
    if (event === "session") sessionStarted(args[0]);
    if (event === "stream" && takeStream(this.#server, this.#claimants, args)) return true;
    return this.#previous.emit.call(this.#server, event, ...args);
  };

  readonly #shouldUpgrade = (request: UpgradeRequest): boolean => {
    if (this.#claimants.size > 0) this.#listen();
    const decision = this.#decide(request);
    if (decision?.claim === "ours" || decision?.claim === "failed") return true;
    if (this.#hasOthers) {
      return this.#previous.shouldUpgradeCallback?.call(this.#server, request) ?? true;
    }
    // Any other upgrade, such as h2c, is optional (RFC 9110 §7.8): the server answers the request.
    return decision?.claim === "unknown" && asksForWebSocket(decision.head);
  };

  /** For events that bypass our `emit`: Fastify binds the original for its second address. */
  readonly #onUpgrade = (...args: unknown[]): void => {
    if (!this.#passed.has(args[0] as UpgradeRequest)) this.#take(args);
  };

  /** Serves a request, or passes it to the other listeners. Returns whether it was served. */
  #take(args: readonly unknown[]): boolean {
    const [request, socket, rest] = args as [UpgradeRequest, UpgradeSocket, Uint8Array];
    const decision = this.#decide(request);
    this.#decision = null;
    if (decision === null) return false;
    const { claimant, claim, head } = decision;
    if (claim !== "ours" && claim !== "failed" && this.#hasOthers) {
      this.#passed.add(request);
      return false;
    }
    claimant.serve({ request, head, socket, rest }, claim);
    return true;
  }

  /** Asks the attachments in turn. If none claims the request, the first one refuses it. */
  #decide(request: UpgradeRequest): Decision | null {
    if (this.#decision?.request === request) return this.#decision;
    const head = headOf(request);
    this.#decision = null;
    for (const claimant of this.#claimants) {
      const claim = claimant.claim(request, head);
      const decision = { request, head, claimant, claim };
      if (claim === "ours" || claim === "failed") return this.#decision = decision;
      this.#decision ??= decision;
    }
    return this.#decision;
  }

  /**
   * Adds our listener, or adds it again if another library has removed it. Without a listener, Node and
   * Deno close the connection, and Node before 24.9 serves it as a plain request.
   */
  #listen(): void {
    const listens = this.#server.listeners("upgrade").includes(this.#onUpgrade);
    if (!listens) this.#server.on("upgrade", this.#onUpgrade);
  }

  get #hasOthers(): boolean {
    return this.#server.listeners("upgrade").some((listener) => listener !== this.#onUpgrade);
  }

  #restore(): void {
    const server = this.#server;
    delete server[DISPATCH];
    server.removeListener("upgrade", this.#onUpgrade);
    // If another library has replaced our `emit`, leave ours in place. It claims no requests.
    if (server.emit === this.#emit) {
      if (this.#ownsEmit) server.emit = this.#previous.emit;
      else Reflect.deleteProperty(server, "emit");
    }
    if (server.shouldUpgradeCallback !== this.#shouldUpgrade) return;
    const { shouldUpgradeCallback } = this.#previous;
    if (this.#ownsShouldUpgrade && shouldUpgradeCallback !== undefined) {
      server.shouldUpgradeCallback = shouldUpgradeCallback;
    } else Reflect.deleteProperty(server, "shouldUpgradeCallback");
  }
}
