/**
 * Starts Chromium from Debian: a current browser, with RFC 6455 and permessage-deflate.
 *
 * @module
 */
import { type Browser, chromium } from "playwright-core";
import { findExecutable } from "../support/runtime.ts";
import { CHROMIUM } from "./executables.ts";

/** Without a window, without a sandbox (tests run as root in containers), and without requests of its own. */
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

/** A running Chromium. A test that starts one must call `close`. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: findExecutable(...CHROMIUM), args: [...FLAGS] });
}
