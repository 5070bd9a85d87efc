/**
 * Checks options and settings. An unknown name is an error that suggests a known one. Without it, a
 * misspelt limit would silently keep its default.
 *
 * @module
 */

/** What the value of an option must be. */
export interface Kind {
  /** The words after "must be" in an error. */
  readonly expected: string;
  /** Whether a value has the right type. If not, the error is a `TypeError`. */
  readonly hasType: (value: unknown) => boolean;
  /** Whether a value of the right type is in range. If not, the error is a `RangeError`. */
  readonly inRange?: (value: unknown) => boolean;
}

/** The rules of {@linkcode checkOptions}, and the words for its errors. */
export interface OptionsCheck {
  /** The known names with the kind of each; `undefined` if the value is checked elsewhere. */
  readonly kinds: Readonly<Record<string, Kind | undefined>>;
  /** The word for one of them: `"setting"`. */
  readonly noun: string;
  /** The beginning of an error about a value, up to "must be". */
  readonly subject: (name: string) => string;
  /** Whether `undefined` is checked like any other value, instead of meaning the default. */
  readonly refusesUndefined?: boolean;
  /** Names that belong elsewhere, and where: `"listen()"`. */
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

/** A nested object of options. */
export const OBJECT: Kind = { expected: "an object", hasType: isObject };

/** A signal. */
export const SIGNAL: Kind = {
  expected: "an AbortSignal",
  hasType: (value) =>
    isObject(value) && typeof Reflect.get(value, "aborted") === "boolean" &&
    isFunction(Reflect.get(value, "addEventListener")),
};

/** A name, an address or a path. An empty string often comes from an unset environment variable. */
export const STRING: Kind = {
  expected: "a string that is not empty",
  hasType: (value) => typeof value === "string" && value !== "",
};

/** A certificate or a key. An empty string often comes from an empty file or variable. */
export const PEM: Kind = {
  expected: "a string in PEM",
  hasType: (value) => typeof value === "string" && value.trim() !== "",
};

/** A list of strings. A plain string is refused, because its `includes` would match substrings. */
export const STRINGS: Kind = {
  expected: "an array of strings",
  hasType: (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
};

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

/** The longest delay of a timer, in milliseconds: about 25 days. */
const MAX_TIME = 2 ** 31 - 1;

/** An interval or a timeout in milliseconds; 0 turns it off. */
export const TIME: Kind = {
  expected: `an integer from 0 (off) to ${MAX_TIME}`,
  hasType: isNumber,
  inRange: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_TIME,
};

/** The maximum of a count or a size; never 0. */
export const LIMIT: Kind = {
  expected: "a positive integer, or Infinity for no limit",
  hasType: isNumber,
  inRange: (value) => value === Infinity || Number.isSafeInteger(value) && Number(value) > 0,
};

/** Makes the kind of a rate. @param actions The values that `action` may have. */
function rateKind(expected: string, actions: readonly string[]): Kind {
  return {
    expected,
    hasType(value) {
      if (!isObject(value)) return false;
      const { perSecond, burst, action, ...others } = value as Readonly<Record<string, unknown>>;
      return isNumber(perSecond) && isNumber(burst) && Object.keys(others).length === 0 &&
        (action === undefined || actions.includes(String(action)));
    },
    inRange(value) {
      const { perSecond, burst } = value as { readonly perSecond: number; readonly burst: number };
      return perSecond > 0 && perSecond < Infinity && burst >= 1 && burst < Infinity;
    },
  };
}

/** A rate. */
export const RATE: Kind = rateKind("{ perSecond, burst }, with perSecond > 0 and burst ≥ 1", []);

/** A rate of a connection. */
export const CONNECTION_RATE: Kind = rateKind(
  '{ perSecond, burst, action }, with perSecond > 0, burst ≥ 1, and action "wait" or "close"',
  ["wait", "close"],
);

/** A size in bytes that is not a limit. */
export const SIZE: Kind = {
  expected: "a non-negative integer",
  hasType: isNumber,
  inRange: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
};

/**
 * Checks names and values. Unless `refusesUndefined` is set, `undefined` means the default.
 *
 * @throws {TypeError} If the options are not an object, a name is unknown, or a value has a wrong
 * type.
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
 * Fills in defaults. `undefined` means the default.
 *
 * @param names The names to take from `given`. Default: those of the defaults.
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

/**
 * Checks that one limit does not exceed another.
 *
 * @param subject The beginning of the error, up to the name.
 * @throws {RangeError} If it does.
 */
export function checkAtMost<Name extends string>(
  limits: Readonly<Record<Name, number>>,
  name: Name,
  greatest: Name,
  subject = "Cannot use ",
): void {
  if (limits[name] <= limits[greatest]) return;
  throw new RangeError(
    `${subject}${name}: must not exceed ${greatest} (${limits[greatest]}), got ${limits[name]}`,
  );
}

/** The longest string that an error quotes. */
const LONGEST_QUOTE = 40;

/** Describes a value for an error, without content that may be long or secret. */
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
 * Names from other libraries, in lower case, and our names for the same. The first name that is
 * known to the check is suggested.
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
  rejectunauthorized: ["insecure", "clientCertificate"],
  requestcert: ["clientCertificate"],
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
    nearestName(name, known);
  return meant === undefined ? "" : `; did you mean ${meant}?`;
}

/** Returns the first known name that a misspelt one may mean; `undefined` if there is none. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const plain = plainName(name);
  return known.find((candidate) => isNear(plainName(candidate), plain));
}

/** Returns a name in lower case without Tornado's prefix: `websocket_max_message_size`. */
function plainName(name: string): string {
  return name.replace(/[_-]/g, "").toLowerCase().replace(/^websocket/, "");
}

/** Returns whether two words differ by at most two letters and a third of the longer word. */
function isNear(a: string, b: string): boolean {
  const most = Math.min(2, Math.floor(Math.max(a.length, b.length) / 3));
  if (Math.abs(a.length - b.length) > most) return false;
  // The Levenshtein distance, row by row.
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
