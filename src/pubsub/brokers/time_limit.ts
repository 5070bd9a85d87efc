/**
 * Waits with a timeout.
 *
 * @module
 */

/**
 * Settles as a promise does, or as `expired` decides if that takes longer than a timeout.
 *
 * @param promise The promise.
 * @param timeout The timeout in milliseconds; 0 is no limit.
 * @param expired Returns or throws the outcome after the timeout.
 */
export function inTime<T>(
  promise: Promise<T>,
  timeout: number,
  expired: () => T,
): Promise<T> {
  if (timeout === 0) return promise;
  return new Promise((resolve, reject) => {
    const expire = () => {
      try {
        resolve(expired());
      } catch (error) {
        reject(error);
      }
    };
    // If the process was busy for so long, the reply may have arrived: it gets a turn to be read.
    let timer = setTimeout(() => timer = setTimeout(expire, 1), timeout);
    promise.finally(() => clearTimeout(timer)).then(resolve, reject);
  });
}

/** What {@linkcode connectInTime} waits for. */
export interface ConnectOptions {
  /** The server, for errors: `"Redis at 10.0.0.7:6379"`. */
  readonly name: string;
  /** How long to wait, in milliseconds; 0 is no limit. */
  readonly timeout: number;
  /** Whether to give up waiting without an error when the time is over. */
  readonly isEnough?: () => boolean;
  /** The last error. */
  readonly lastError: () => Error | undefined;
}

/**
 * Calls `start` with a function that says that the connection is made.
 *
 * @throws {Error} If that does not happen in time. The message has the address and the reason.
 */
export function connectInTime(
  { name, timeout, isEnough = () => false, lastError }: ConnectOptions,
  start: (connected: () => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = timeout === 0 ? undefined : setTimeout(() => {
      if (isEnough()) return resolve();
      const cause = lastError();
      const reason = cause === undefined
        ? `no response within timeout (${timeout} ms)`
        : describe(cause);
      reject(new Error(`Cannot reach ${name}: ${reason}`, { cause }));
    }, timeout);
    start(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Describes an error. Node's error for several addresses has no message. */
function describe(error: Error): string {
  const { message, code } = error as Error & { readonly code?: unknown };
  return message || String(code ?? error.name);
}
