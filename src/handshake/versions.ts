/**
 * The versions of the WebSocket protocol, and their detection.
 *
 * @module
 */
import { Refusal } from "../errors.ts";
import { listHasToken } from "./grammar.ts";
import type { HandshakeRequest } from "./request_head.ts";

/**
 * A version of the WebSocket protocol that a browser shipped.
 *
 * @example
 * ```ts
 * import { Application } from "@waterspout/websocket";
 * import type { WebSocketVersion } from "@waterspout/websocket";
 *
 * const versions: WebSocketVersion[] = ["rfc6455", "draft76", "draft75"];
 * new Application([], { versions });
 * ```
 */
export type WebSocketVersion = "draft75" | "draft76" | "hybi-07" | "hybi-08" | "rfc6455";

/** All versions, the newest first. */
export const WEBSOCKET_VERSIONS: readonly WebSocketVersion[] = [
  "rfc6455",
  "hybi-08",
  "hybi-07",
  "draft76",
  "draft75",
];

/** The versions by their value of `Sec-WebSocket-Version`, in the order of a refusal. */
const NUMBERED: ReadonlyMap<string, WebSocketVersion> = new Map([
  ["13", "rfc6455"],
  ["8", "hybi-08"],
  ["7", "hybi-07"],
]);

/** Returns whether a value of `Sec-WebSocket-Version` is known. */
export function isVersionNumber(value: string): boolean {
  return NUMBERED.has(value);
}

/** Returns the `Sec-WebSocket-Version` of a version; `undefined` for draft75 and draft76. */
export function versionNumber(version: WebSocketVersion): string | undefined {
  return [...NUMBERED].find(([, numbered]) => numbered === version)?.[0];
}

/**
 * Returns the version of a request. If it has no version number, it is draft76 with keys, and draft75
 * without.
 *
 * @param enabled The versions that the server accepts.
 * @returns `undefined` if the request is not a WebSocket handshake.
 * @throws {Refusal} 426 if the version is unknown or not enabled. It lists the enabled versions
 * (RFC 6455 §4.2.2).
 */
export function detectVersion(
  request: HandshakeRequest,
  enabled: readonly WebSocketVersion[],
): WebSocketVersion | undefined {
  const upgrade = request.get("upgrade");
  if (typeof upgrade !== "string" || !listHasToken(upgrade, "websocket")) return undefined;
  const version = versionOf(request);
  if (typeof version === "string" && enabled.includes(version)) return version;
  throw upgradeRequired(enabled);
}

function versionOf(request: HandshakeRequest): WebSocketVersion | undefined {
  const has = (name: string) => typeof request.get(name) === "string";
  const number = request.get("sec-websocket-version");
  if (typeof number === "string") return NUMBERED.get(number);
  if (has("sec-websocket-key")) return undefined;
  if (has("sec-websocket-key1") || has("sec-websocket-key2")) return "draft76";
  return "draft75";
}

/** Makes a refusal that lists the enabled versions. */
export function upgradeRequired(enabled: readonly WebSocketVersion[]): Refusal {
  const numbers = [...NUMBERED].filter(([, version]) => enabled.includes(version));
  const headers = new Headers({ Upgrade: "websocket", Connection: "Upgrade" });
  // draft75 and draft76 have no number.
  if (numbers.length > 0) {
    headers.set("Sec-WebSocket-Version", numbers.map(([number]) => number).join(", "));
  }
  return new Refusal(
    426,
    `a WebSocket handshake of one of these versions is needed: ${enabled.join(", ")} ` +
      "(RFC 6455 §4.2.2)",
    { reason: "version", headers },
  );
}

/** Returns whether a version is draft75 or draft76. */
export function isDraft(version: WebSocketVersion): boolean {
  return version === "draft75" || version === "draft76";
}
