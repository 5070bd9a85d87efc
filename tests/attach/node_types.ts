/**
 * Checks that the types of Node's servers, requests and sockets are accepted. Nothing runs.
 *
 * @module
 */
import type { IncomingMessage, Server } from "node:http";
import type { Http2SecureServer, Http2Server } from "node:http2";
import type { Server as TlsServer } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { AttachOptions, UpgradeRequest, UpgradeServer, UpgradeSocket } from "../../mod.ts";

type Fits<Type, Wanted> = Type extends Wanted ? true : false;

export const fit: readonly true[] = [
  true as Fits<Server, UpgradeServer>,
  true as Fits<TlsServer, UpgradeServer>,
  true as Fits<Http2Server, UpgradeServer>,
  true as Fits<Http2SecureServer, UpgradeServer>,
  true as Fits<IncomingMessage, UpgradeRequest>,
  true as Fits<Duplex, UpgradeSocket>,
  true as Fits<Socket, UpgradeSocket>,
  true as Fits<TLSSocket, UpgradeSocket>,
];

export const options: AttachOptions = {
  passThrough: ({ headers }: IncomingMessage) => headers["x-tenant"] === "other",
};
