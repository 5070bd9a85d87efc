/**
 * Attaches an application to an existing HTTP server.
 *
 * @module
 */
import { Refusal } from "../errors.ts";
import { caught, requireSync } from "../guard.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import { upgradedTransport, type UpgradeSocket, whenAnswered } from "../transport/attach.ts";
import {
  checkOptions,
  checkValue,
  FUNCTION,
  type Kind,
  OBJECT,
  objectWith,
  show,
} from "../validation.ts";
import { ConnectionGroup, type ShutdownOptions } from "./connection_group.ts";
import type { Context } from "./context.ts";
import { claimsStream, serveStream, unknownProtocol } from "./stream_connection.ts";
import { enableExtendedConnect, type StreamRequest } from "./stream_dispatch.ts";
import {
  type Claim,
  type Claimant,
  type Upgrade,
  UpgradeDispatch,
  type UpgradeServer,
} from "./upgrade_dispatch.ts";
import { asksForWebSocket, bytesOf, headOf, type UpgradeRequest } from "./upgrade_request.ts";

/**
 * The options of `Application.attach`.
 *
 * @example
 * ```ts
 * import { createServer, type IncomingMessage } from "node:http";
 * import { Application } from "@waterspout/websocket";
 *
 * const server = createServer();
 * const attachment = new Application([]).attach(server, {
 *   passThrough: (request: IncomingMessage) => request.headers["x-tenant"] === "other",
 * });
 * attachment.detach();
 * ```
 */
export interface AttachOptions {
  /**
   * Returns whether to pass a request to the other `upgrade` listeners, even if a route matches. If it
   * throws, the client gets status 500. Default: passes only requests without a matching route.
   */
  passThrough?(request: UpgradeRequest): boolean;
}

const ATTACH_KINDS: Readonly<Record<keyof AttachOptions, Kind>> = { passThrough: FUNCTION };

/**
 * Serves the `upgrade` requests of an HTTP server. `await using` shuts it down and detaches it at the
 * end of the block. The HTTP server stays open.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { createServer } from "node:http";
 * import { Application } from "@waterspout/websocket";
 *
 * const server = createServer();
 * await using attachment = new Application([]).attach(server);
 * assert(attachment.connections === 0);
 * ```
 */
export class Attachment implements AsyncDisposable {
  readonly #context: Context;
  readonly #server: UpgradeServer;
  readonly #group: ConnectionGroup;
  readonly #passThrough: AttachOptions["passThrough"];
  readonly #claimant: Claimant = {
    claim: (request, head) => this.#claim(request, () => claims(this.#context, head)),
    serve: (upgrade, claim) => serveUpgrade(this.#context, this.#group, upgrade, refusalOf(claim)),
    claimStream: (request) =>
      this.#claim(request, () => claimsStream(this.#context, request.headers)),
    serveStream: (request, claim) => this.#serveStream(request, refusalOf(claim)),
    refuseProtocol: (request) => this.#serveStream(request, unknownProtocol(request.headers)),
  };

  /** Made by `Application.attach`. @ignore */
  constructor(context: Context, server: UpgradeServer, options: AttachOptions) {
    context.checkRunning("attach");
    checkServer(server);
    checkOptions(options, {
      kinds: ATTACH_KINDS,
      noun: "attach option",
      subject: (name) => `Cannot attach: ${name}`,
    });
    const { attachments } = context;
    const before = attachments.get(server);
    if (before?.stopping === false) {
      throw new TypeError("Cannot attach: the application is attached to this server already");
    }
    enableExtendedConnect(server);
    before?.detach();
    this.#context = context;
    this.#server = server;
    this.#passThrough = options.passThrough;
    this.#group = new ConnectionGroup(context);
    attachments.set(server, this);
    UpgradeDispatch.add(server, this.#claimant);
  }

  /** The number of connections, including those in the handshake. */
  get connections(): number {
    return this.#group.size;
  }

  /** Whether {@linkcode shutdown}, or that of the application, was called. */
  get stopping(): boolean {
    return this.#group.stopping;
  }

  /**
   * Shuts down: waits until handlers have handled all received messages, then closes every connection.
   * After the timeout, drops the remaining connections. The HTTP server stays open. Until
   * {@linkcode detach}, a request with a matching route gets status 503.
   *
   * @returns A promise that resolves when all connections are closed and `onClose()` has settled.
   * @throws {TypeError} If an option is unknown or has the wrong type.
   * @throws {RangeError} If the code or the reason cannot be sent, or the timeout is out of range.
   */
  async shutdown(options: ShutdownOptions = {}): Promise<void> {
    await this.#group.shutdown(options);
  }

  /**
   * Stops serving new requests, and restores the HTTP server. Connections stay open until you call
   * {@linkcode shutdown}. A second call does nothing.
   */
  detach(): void {
    const { attachments } = this.#context;
    if (attachments.get(this.#server) === this) attachments.delete(this.#server);
    UpgradeDispatch.delete(this.#server, this.#claimant);
    this.#group.retire();
  }

  /** Shuts down with the default options, and detaches. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
    this.detach();
  }

  #claim(request: UpgradeRequest, claims: () => boolean): Claim {
    try {
      const passes = this.#passThrough?.(request) ?? false;
      if (requireSync("passThrough", passes)) return "passed";
    } catch (error) {
      this.#context.log("Uncaught exception in passThrough:", caught(error));
      return "failed";
    }
    return claims() ? "ours" : "unknown";
  }

  #serveStream({ stream, headers }: StreamRequest, refusal?: Refusal): void {
    serveStream(this.#group, { stream, fields: headers, refusal });
  }
}

/** Returns why a request with a claim is refused; `undefined` if it is served. */
function refusalOf(claim: Claim): Refusal | undefined {
  if (claim === "failed") return new Refusal(500, "internal error", { reason: "error" });
  if (claim !== "passed") return undefined;
  return new Refusal(404, "no route matches the path", { reason: "path" });
}

/** The arguments of `Application.handleUpgrade`. */
export interface HandedUpgrade {
  /** The request. */
  readonly request: UpgradeRequest;
  /** The socket. */
  readonly socket: UpgradeSocket;
  /** What was read after the request head. */
  readonly head: Uint8Array;
}

/** See `Application.handleUpgrade`. */
export function handleUpgrade(context: Context, { request, socket, head }: HandedUpgrade): boolean {
  checkValue(request, "Cannot handle the upgrade: request", OBJECT);
  checkValue(socket, "Cannot handle the upgrade: socket", SOCKET);
  checkValue(head, "Cannot handle the upgrade: head", BYTES);
  const requestHead = headOf(request);
  if (!claims(context, requestHead)) return false;
  serveUpgrade(context, context.given, { request, head: requestHead, socket, rest: head });
  return true;
}

/** Returns whether a request is a WebSocket handshake with a matching route. */
function claims({ routes }: Context, head: RequestHead): boolean {
  if (!asksForWebSocket(head)) return false;
  try {
    return routes.match(head.path) !== undefined;
  } catch {
    // The pattern matches, but a part of the path is malformed. The client gets status 400.
    return true;
  }
}

/**
 * Serves a request from its first byte, like a request of our own listener.
 *
 * @param refusal The refusal to send, if any.
 */
function serveUpgrade(
  context: Context,
  group: ConnectionGroup,
  { request, head, socket, rest }: Upgrade,
  refusal?: Refusal,
): void {
  whenAnswered(socket, () => {
    const transport = upgradedTransport(socket);
    if (transport === undefined) context.counters.refused.gone++;
    else if (refusal !== undefined) group.reject(transport, refusal);
    else group.take(transport, { rawRequest: request, received: bytesOf(head, rest) });
  });
}

const SOCKET = objectWith("on", "write", "end", "destroy", "pause", "resume");
const BYTES: Kind = {
  expected: "a Uint8Array",
  hasType: (value) => value instanceof Uint8Array,
};
const SERVER = objectWith("emit", "listeners", "on", "removeListener");

function checkServer(server: unknown): void {
  if (SERVER.hasType(server)) return;
  throw new TypeError(
    "Cannot attach: expected a server of node:http, node:https or node:http2, got " + show(server),
  );
}
