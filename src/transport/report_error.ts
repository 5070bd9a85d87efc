/**
 * Errors of a listener.
 *
 * @module
 */
import { guard, toError } from "../guard.ts";
import type { ListenerOptions } from "./transport.ts";

/**
 * Calls `onError` because a connection could not be accepted. If the callback throws or rejects,
 * that error goes to the console, and the listener goes on.
 */
export function reportError(onError: ListenerOptions["onError"], error: unknown): void {
  if (onError === undefined) return;
  guard((): unknown => onError(toError(error)), (another) => {
    // The console reads an error's properties, and their getters may throw too.
    guard((): unknown => console.error("Uncaught exception in onError:", another), () => {});
  });
}
