/**
 * Who is present at a topic: the public types, and their checks.
 *
 * @module
 */
import { checkOptions, checkValue, FUNCTION, type Kind, show } from "../validation.ts";
import type { PresenceChange, PresenceEntry } from "./brokers/broker.ts";

/**
 * Who a subscriber is.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, type PresenceOptions, WebSocketHandler } from "@waterspout/websocket";
 * import { connect } from "@waterspout/websocket/testing";
 *
 * class Member extends WebSocketHandler {
 *   override async open(): Promise<void> {
 *     const presence: PresenceOptions = { id: "ada", info: { colour: "green" } };
 *     await this.subscribe("lobby", { presence });
 *   }
 *   onMessage(): void {}
 * }
 *
 * const app = new Application([["/", Member]]);
 * await connect(app, "/");
 * assertEquals(await app.presence("lobby"), [{ id: "ada", info: { colour: "green" } }]);
 * ```
 */
export interface PresenceOptions {
  /**
   * A string of 1 to 256 characters. Several connections with one id, in any process, are present
   * once.
   */
  readonly id: string;
  /**
   * A value for JSON, with at most 4096 bytes of JSON. If connections with one id have different
   * information, one of them is listed. Default: `null`.
   */
  readonly info?: unknown;
}

/**
 * Who is present at a topic.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, type Present } from "@waterspout/websocket";
 *
 * const nobody: Present[] = await new Application([]).presence("lobby");
 * assertEquals(nobody, []);
 * ```
 */
export interface Present {
  /** The id. */
  readonly id: string;
  /** The information, as JSON has it. */
  readonly info: unknown;
}

/**
 * Somebody has joined a topic, or has left it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, type PresenceEvent, WebSocketHandler } from "@waterspout/websocket";
 * import { connect } from "@waterspout/websocket/testing";
 *
 * class Member extends WebSocketHandler {
 *   override open(name: string): void {
 *     const onPresence = (event: PresenceEvent) => this.writeMessage(`${event.type} ${event.id}`);
 *     this.subscribe("lobby", { presence: { id: name }, onPresence });
 *   }
 *   onMessage(): void {}
 * }
 *
 * const app = new Application([["/:name", Member]]);
 * const ada = await connect(app, "/ada");
 * const grace = await connect(app, "/grace");
 * grace.close();
 * const heard = [await ada.readMessage(), await ada.readMessage(), await ada.readMessage()];
 * assertEquals(heard, ["join ada", "join grace", "leave grace"]);
 * ```
 */
export interface PresenceEvent extends Present {
  /** What has happened. */
  readonly type: "join" | "leave";
}

/** A callback for events of presence. */
export type PresenceHook = (event: PresenceEvent) => unknown;

/** What a subscriber has asked for, checked. */
export interface PresenceRequest {
  /** Its entry; `undefined` if it only listens. */
  readonly entry: PresenceEntry | undefined;
  /** Its callback; `undefined` if it wants no events. */
  readonly hook: PresenceHook | undefined;
}

const MAX_ID_LENGTH = 256;
/** The largest information, in bytes of JSON. */
const MAX_INFO_SIZE = 4096;

const encoder = new TextEncoder();

function isId(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= MAX_ID_LENGTH &&
    value.isWellFormed();
}

const ID: Kind = {
  expected: `a string of 1 to ${MAX_ID_LENGTH} characters without lone surrogates`,
  hasType: isId,
};

const KINDS: Readonly<Record<keyof PresenceOptions, Kind | undefined>> = {
  id: ID,
  info: undefined,
};

/**
 * Checks the options of a subscription that concern presence.
 *
 * @returns `undefined` if there are none.
 * @throws {TypeError} If one is wrong.
 */
export function checkPresence(
  { presence, onPresence }: {
    readonly presence?: PresenceOptions | undefined;
    readonly onPresence?: PresenceHook | undefined;
  },
): PresenceRequest | undefined {
  if (presence === undefined && onPresence === undefined) return undefined;
  if (onPresence !== undefined) {
    checkValue(onPresence, "Cannot subscribe: onPresence", FUNCTION);
  }
  return { entry: presence === undefined ? undefined : toEntry(presence), hook: onPresence };
}

function toEntry(presence: PresenceOptions): PresenceEntry {
  checkOptions(presence, {
    kinds: KINDS,
    noun: "presence option",
    subject: (name) => `Cannot subscribe with presence: ${name}`,
  });
  // `checkOptions` takes an absent id for a default, and there is none.
  const { id, info = null } = presence;
  checkValue(id, "Cannot subscribe with presence: id", ID);
  return { id, info: toJson(info) };
}

function toJson(info: unknown): string {
  const attempt = "Cannot subscribe with presence: info must be a value for JSON";
  let json: unknown;
  try {
    json = JSON.stringify(info);
  } catch (cause) {
    throw new TypeError(`${attempt}`, { cause });
  }
  if (typeof json !== "string") throw new TypeError(`${attempt}, got ${show(info)}`);
  const size = sizeOf(json);
  if (size <= MAX_INFO_SIZE) return json;
  throw new TypeError(
    `Cannot subscribe with presence: info must have at most ${MAX_INFO_SIZE} bytes of JSON, ` +
      `got ${size}`,
  );
}

/** The size in UTF-8. A long text is not encoded. */
function sizeOf(text: string): number {
  return text.length > MAX_INFO_SIZE ? text.length : encoder.encode(text).length;
}

// --- What others say ----------------------------------------------------------------------------

/** Reads entries of a broker or of another process. Calls `ignore` for each that is malformed. */
export function readEntries(items: readonly unknown[], ignore: () => void): PresenceEntry[] {
  return items.flatMap((item) => {
    const entry = readEntry(item);
    if (entry === undefined) ignore();
    return entry ?? [];
  });
}

function readEntry(item: unknown): PresenceEntry | undefined {
  if (typeof item !== "object" || item === null) return undefined;
  const { id, info } = item as { readonly id?: unknown; readonly info?: unknown };
  if (!isId(id) || typeof info !== "string") return undefined;
  if (sizeOf(info) > MAX_INFO_SIZE || !isJson(info)) return undefined;
  return { id, info };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Reads a change. Calls `ignore` for each part that is malformed. */
export function readChange(value: unknown, ignore: () => void): PresenceChange {
  const parts = typeof value === "object" && value !== null ? value : {};
  const { joined, left } = parts as { readonly joined?: unknown; readonly left?: unknown };
  if (Array.isArray(joined) && Array.isArray(left)) {
    return { joined: readEntries(joined, ignore), left: readEntries(left, ignore) };
  }
  ignore();
  return { joined: [], left: [] };
}

/** How many entries one message to other processes has. With the largest ids and information: 1 MiB. */
const MAX_TOLD = 200;

/** Writes a change as messages to other processes. */
export function writeChange({ joined, left }: PresenceChange): string[] {
  const messages: string[] = [];
  for (let from = 0; from < Math.max(joined.length, left.length); from += MAX_TOLD) {
    const to = from + MAX_TOLD;
    messages.push(
      JSON.stringify({ joined: joined.slice(from, to), left: left.slice(from, to) }),
    );
  }
  return messages;
}

/** Parses a message of {@linkcode writeChange}. Calls `ignore` for each part that is malformed. */
export function parseChange(text: string, ignore: () => void): PresenceChange {
  return readChange(isJson(text) ? JSON.parse(text) : undefined, ignore);
}

/** Converts an entry for the application. */
export function toPresent({ id, info }: PresenceEntry): Present {
  return { id, info: JSON.parse(info) };
}

/** Compares ids by code units. */
export function byId(a: PresenceEntry, b: PresenceEntry): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
