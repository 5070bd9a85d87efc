/**
 * Checks what a caller gives by name: options and settings. An unknown name is an error that says
 * which name was probably meant; otherwise a misspelt limit would silently be the default.
 *
 * @module
 */

/** What the value of an option must be. */
export interface Kind {
  /** In words, as they stand behind "must be". */
  readonly expected: string;
  /** Whether a value has the right type. If not: `TypeError`. */
  readonly hasType: (value: unknown) => boolean;
  /** Whether a value of the right type is in range. If not: `RangeError`. */
  readonly inRange?: (value: unknown) => boolean;
}

/** What {@linkcode checkOptions} checks against, and how its errors begin. */
export interface OptionsCheck {
  /** The names that exist, and what each must be; `undefined` if it is checked elsewhere. */
  readonly kinds: Readonly<Record<string, Kind | undefined>>;
  /** What one of them is called: `"setting"`. */
  readonly noun: string;
  /** The beginning of an error about a value, up to "must be". */
  readonly subject: (name: string) => string;
  /** Whether `undefined` is a value like any other, instead of standing for the default. */
  readonly refusesUndefined?: boolean;
  /** Names that belong into another place, and that place. */
  readonly elsewhere?: { readonly names: readonly string[]; readonly place: string };
}

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Makes the kind of an object that has certain methods. */
export function objectWith(...methods: readonly string[]): Kind {
  return {
    expected: `an object with ${methods.map((name) => `${name}()`).join(", ")}`,
    hasType: (value) =>
      isObject(value) && methods.every((name) => isFunction(Reflect.get(value, name))),
  };
}

/** `true` or `false`. */
export const BOOLEAN: Kind = {
  expected: "a boolean",
  hasType: (value) => typeof value === "boolean",
};

/** A callback. */
export const FUNCTION: Kind = { expected: "a function", hasType: isFunction };

/** Options of their own. */
export const OBJECT: Kind = { expected: "an object", hasType: isObject };

/** What ends something early. */
export const SIGNAL: Kind = {
  expected: "an AbortSignal",
  hasType: (value) =>
    isObject(value) && typeof Reflect.get(value, "aborted") === "boolean" &&
    isFunction(Reflect.get(value, "addEventListener")),
};

/** A name, an address, a path. An empty one comes from an environment variable that is not set. */
export const STRING: Kind = {
  expected: "a string that is not empty",
  hasType: (value) => typeof value === "string" && value !== "",
};

/** A certificate or a key. An empty one comes from a file or a variable that is empty. */
export const PEM: Kind = {
  expected: "a string in PEM",
  hasType: (value) => typeof value === "string" && value.trim() !== "",
};

/** A list. A plain string has `includes` too, which would find any part of it. */
export const STRINGS: Kind = {
  expected: "an array of strings",
  hasType: (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
};

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

/** The longest time that a timer takes, in milliseconds: 25 days. */
const MAX_TIME = 2 ** 31 - 1;

/** An interval or a timeout in milliseconds; 0 turns it off. */
export const TIME: Kind = {
  expected: `an integer from 0 (off) to ${MAX_TIME}`,
  hasType: isNumber,
  inRange: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_TIME,
};

/** The most that there may be of something, a count or a size; never 0. */
export const LIMIT: Kind = {
  expected: "a positive integer, or Infinity for no limit",
  hasType: isNumber,
  inRange: (value) => value === Infinity || Number.isSafeInteger(value) && Number(value) > 0,
};

/** A size that is no limit, in bytes. */
export const SIZE: Kind = {
  expected: "a non-negative integer",
  hasType: isNumber,
  inRange: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
};

/**
 * Checks names and types. Unless `refusesUndefined` is set, `undefined` stands for the default.
 *
 * @throws {TypeError} If the options are no object, a name is unknown, or a value has a wrong type.
 * @throws {RangeError} If a number is out of its range.
 */
export function checkOptions(options: unknown, check: OptionsCheck): asserts options is object {
  const { kinds, noun, subject, refusesUndefined = false } = check;
  if (!isObject(options)) {
    throw new TypeError(`Cannot use ${noun}s: must be an object, got ${show(options)}`);
  }
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(kinds, name)) {
      throw new TypeError(
        `Cannot use ${noun} ${JSON.stringify(name)}: unknown${hint(name, check)}`,
      );
    }
    if (value !== undefined || refusesUndefined) checkValue(value, subject(name), kinds[name]);
  }
}

/**
 * Checks one value.
 *
 * @param subject The beginning of the error, up to "must be".
 */
export function checkValue(value: unknown, subject: string, kind: Kind | undefined): void {
  if (kind === undefined) return;
  const { expected, hasType, inRange } = kind;
  if (!hasType(value)) throw new TypeError(`${subject} must be ${expected}, got ${show(value)}`);
  if (inRange?.(value) === false) {
    throw new RangeError(`${subject} must be ${expected}, got ${show(value)}`);
  }
}

/**
 * Completes given values with defaults; `undefined` stands for the default.
 *
 * @param names The names that are taken from `given`. Default: those of the defaults.
 */
export function withDefaults<Values extends object>(
  defaults: Values,
  given: Partial<Values>,
  names: readonly string[] = Object.keys(defaults),
): Values {
  const own = names.map((name) => [name, Reflect.get(given, name)])
    .filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(own) };
}

/** Checks that one limit does not exceed another. @throws {RangeError} If it does. */
export function checkAtMost<Name extends string>(
  limits: Readonly<Record<Name, number>>,
  name: Name,
  greatest: Name,
): void {
  if (limits[name] <= limits[greatest]) return;
  throw new RangeError(
    `Cannot use ${name}: must not exceed ${greatest} (${limits[greatest]}), got ${limits[name]}`,
  );
}

/** The longest string that an error quotes. */
const LONGEST_QUOTE = 40;

/** A value for an error, without its content where that could be long or secret. */
export function show(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value.length > LONGEST_QUOTE
        ? `a string of ${value.length} characters`
        : JSON.stringify(value);
    case "function":
      return value.name === "" ? "a function" : `the function ${value.name}`;
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? "an array" : "an object";
    default:
      return String(value);
  }
}

/**
 * What users of other libraries write, in lower case, and the names that they mean. Of several the
 * first counts that exists in the place in question.
 */
const MEANT: Readonly<Record<string, readonly string[]>> = {
  address: ["hostname"],
  backpressurelimit: ["maxBufferedAmount"],
  bind: ["hostname"],
  callback: ["onListen"],
  certificate: ["cert"],
  connecttimeout: ["handshakeTimeout"],
  deflate: ["compression"],
  headerstimeout: ["handshakeTimeout"],
  heartbeat: ["pingInterval"],
  host: ["hostname"],
  https: ["cert and key"],
  keepalive: ["pingInterval"],
  maxframesize: ["maxMessageSize"],
  maxpayload: ["maxMessageSize"],
  maxpayloadlength: ["maxMessageSize"],
  maxqueue: ["maxQueuedSize"],
  maxrequestbodysize: ["maxBodySize"],
  maxsize: ["maxMessageSize"],
  opentimeout: ["handshakeTimeout"],
  origin: ["allowedOrigins"],
  permessagedeflate: ["compression"],
  privatekey: ["key"],
  protocol: ["subprotocols", "versions"],
  protocols: ["subprotocols", "versions"],
  rejectunauthorized: ["insecure"],
  sendpings: ["pingInterval"],
  server: ["fetch"],
  socketpath: ["path"],
  ssl: ["tls", "cert and key"],
  timeout: ["handshakeTimeout"],
  tls: ["cert and key"],
  unix: ["path"],
  version: ["versions"],
};

function hint(name: string, { kinds, elsewhere }: OptionsCheck): string {
  if (elsewhere?.names.includes(name)) return `; it belongs to ${elsewhere.place}`;
  const known = Object.keys(kinds);
  const isKnown = (meant: string) => meant.split(" and ").every((part) => known.includes(part));
  const plain = plainName(name);
  const meant = (Object.hasOwn(MEANT, plain) ? MEANT[plain] : undefined)?.find(isKnown) ??
    known.find((candidate) => isNear(plainName(candidate), plain));
  return meant === undefined ? "" : `; did you mean ${meant}?`;
}

/** Tornado writes `websocket_max_message_size`. */
function plainName(name: string): string {
  return name.replace(/[_-]/g, "").toLowerCase().replace(/^websocket/, "");
}

/** Whether two words differ by two letters at most, and by a third of them at most. */
function isNear(a: string, b: string): boolean {
  const most = Math.min(2, Math.floor(Math.max(a.length, b.length) / 3));
  if (Math.abs(a.length - b.length) > most) return false;
  // Levenshtein's distance, row by row.
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const change = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(change, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return (row[b.length] ?? 0) <= most;
}
