/**
 * Starts Chromium, from Debian: a browser of today, which speaks RFC 6455 with permessage-deflate.
 *
 * @module
 */
import { type Browser, chromium } from "playwright-core";
import { findExecutable } from "../support/runtime.ts";

/** No window, no sandbox (tests run as root in containers), and no calls home. */
const FLAGS: readonly string[] = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A running Chromium. Every test that starts one ends it with `close`. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: findExecutable("chromium"), args: [...FLAGS] });
}
