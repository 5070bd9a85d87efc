/**
 * Client sockets of Deno.
 *
 * @module
 */
import { type DenoConn, DenoTransport } from "./deno_conn.ts";
import { toError } from "../guard.ts";
import { connect as connectWithNode } from "./node_connect.ts";
import type { ConnectorOptions, TlsOptions, Transport } from "./transport.ts";

interface TcpOptions {
  readonly hostname: string;
  readonly port: number;
  readonly signal?: AbortSignal;
}

interface DenoTlsOptions {
  readonly hostname: string;
  readonly caCerts?: string[];
}

/** The part of the `Deno` namespace that is used. */
interface DenoNamespace {
  connect(options: TcpOptions | { transport: "unix"; path: string }): Promise<DenoConn>;
  connectTls(
    options: TcpOptions & DenoTlsOptions & { cert: string; key: string },
  ): Promise<DenoConn>;
  startTls(conn: DenoConn, options: DenoTlsOptions): Promise<DenoConn>;
}

/**
 * Connects with `Deno.connect`, `Deno.startTls` and `Deno.connectTls`. Options that they lack use
 * Node's modules, which Deno has: `insecure`, TLS on a unix socket, and a client certificate
 * together with `serverName`.
 *
 * @param options Where and how to connect.
 * @returns The connection. Rejects with Deno's error, or with the signal's reason.
 * @throws {TypeError} If the runtime is not Deno.
 */
export async function connect(options: ConnectorOptions): Promise<Transport> {
  const { Deno } = globalThis as unknown as { Deno?: DenoNamespace };
  if (Deno === undefined) {
    throw new TypeError("Cannot connect with Deno.connect: this is not Deno");
  }
  const { path, tls, signal } = options;
  if (tls !== undefined && needsNode(tls, path)) return await connectWithNode(options);
  const conn = await unlessAborted(open(Deno, options), signal);
  return new DenoTransport(tls === undefined ? conn : await secure(Deno, conn, options));
}

function needsNode(tls: TlsOptions, path: string | undefined): boolean {
  return tls.insecure === true || path !== undefined ||
    (tls.cert !== undefined && tls.serverName !== undefined);
}

function open(deno: DenoNamespace, options: ConnectorOptions): Promise<DenoConn> {
  const { hostname, port, path, tls, signal } = options;
  if (path !== undefined) return deno.connect({ transport: "unix", path });
  const where = { hostname, port, ...(signal === undefined ? {} : { signal }) };
  const { cert, key } = tls ?? {};
  if (cert === undefined || key === undefined) return deno.connect(where);
  return deno.connectTls({ ...where, ...tlsOptions(options), cert, key });
}

/** Starts TLS on a connection, unless it was started before, and completes the handshake. */
async function secure(
  deno: DenoNamespace,
  conn: DenoConn,
  options: ConnectorOptions,
): Promise<DenoConn> {
  const secured = conn.handshake ? conn : await deno.startTls(conn, tlsOptions(options));
  try {
    return await unlessAborted(handshaken(secured), options.signal);
  } catch (error) {
    closeQuietly(secured);
    throw error;
  }
}

async function handshaken(conn: DenoConn): Promise<DenoConn> {
  await conn.handshake?.();
  return conn;
}

function tlsOptions({ hostname, tls }: ConnectorOptions): DenoTlsOptions {
  const { ca, serverName = hostname } = tls ?? {};
  return { hostname: serverName, ...(ca === undefined ? {} : { caCerts: [ca] }) };
}

/**
 * Waits for a connection. Rejects when the signal aborts; a connection made after that is closed.
 */
function unlessAborted(
  pending: Promise<DenoConn>,
  signal: AbortSignal | undefined,
): Promise<DenoConn> {
  if (signal === undefined) return pending;
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      reject(toError(signal.reason));
      pending.then(closeQuietly, () => {});
    };
    signal.addEventListener("abort", giveUp, { once: true });
    pending.then(resolve, reject).finally(() => signal.removeEventListener("abort", giveUp));
  });
}

function closeQuietly(conn: DenoConn): void {
  try {
    conn.close();
  } catch {
    // BadResource: already closed.
  }
}
