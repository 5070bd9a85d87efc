/**
 * Certificates, and what is known of a TLS connection.
 *
 * @module
 */

/**
 * A certificate that a client has shown in its TLS handshake.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { WebSocketHandler } from "@waterspout/websocket";
 *
 * class Private extends WebSocketHandler {
 *   override open(): void {
 *     this.writeMessage(`Hello, ${this.connection.peerCertificate?.subject.CN ?? "stranger"}`);
 *   }
 *   onMessage(): void {}
 * }
 * assert(Private.name === "Private");
 * ```
 */
export interface PeerCertificate {
  /** Whose it is: `{ O: "Example", CN: "client 1" }`. A field that occurs again is an array. */
  readonly subject: Readonly<Record<string, string | readonly string[]>>;
  /** Who has signed it. */
  readonly issuer: Readonly<Record<string, string | readonly string[]>>;
  /** Its other names: `"DNS:a.example, email:a@example.com"`; empty if it has none. */
  readonly subjectAltName: string;
  /** The serial number, in hexadecimal digits. */
  readonly serialNumber: string;
  /** When it becomes valid. */
  readonly validFrom: Date;
  /** When it expires. */
  readonly validTo: Date;
  /** The SHA-256 of its bytes: `"AB:CD:…"`. */
  readonly fingerprint256: string;
  /** Its bytes (DER). */
  readonly raw: Uint8Array;
}

/**
 * What a TCP proxy says about the TLS that it has with its client.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { WebSocketHandler } from "@waterspout/websocket";
 *
 * class Greeter extends WebSocketHandler {
 *   override open(): void {
 *     this.writeMessage(`Welcome to ${this.connection.proxiedTls?.authority ?? "us"}`);
 *   }
 *   onMessage(): void {}
 * }
 * assert(Greeter.name === "Greeter");
 * ```
 */
export interface ProxiedTls {
  /** The protocol that was negotiated (ALPN). `undefined` if the proxy does not say. */
  readonly alpn: string | undefined;
  /** The host name that the client asked for (SNI). `undefined` if the proxy does not say. */
  readonly authority: string | undefined;
}

/**
 * A certificate and its key.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { readFileSync } from "node:fs";
 * import type { Credentials } from "@waterspout/websocket";
 *
 * function load(folder: string): Credentials {
 *   return {
 *     cert: readFileSync(`${folder}/fullchain.pem`, "utf8"),
 *     key: readFileSync(`${folder}/privkey.pem`, "utf8"),
 *   };
 * }
 * assert(load.length === 1);
 * ```
 */
export interface Credentials {
  /** The certificate chain in PEM. */
  readonly cert: string;
  /** The private key in PEM. */
  readonly key: string;
}

/**
 * A certificate for a host name.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import type { HostCredentials, Server } from "@waterspout/websocket";
 *
 * function renew(server: Server, { cert, key }: HostCredentials): void {
 *   server.setCertificate({ hostname: "a.example", cert, key });
 * }
 * assert(renew.length === 2);
 * ```
 */
export interface HostCredentials extends Credentials {
  /** The name, such as `"a.example"`. `"*.a.example"` stands for all names with one more label. */
  readonly hostname: string;
}
