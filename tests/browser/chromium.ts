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

/** How long a page may take for anything, in milliseconds. The machine may be slow. */
const PATIENCE = 120_000;

/** A running Chromium. A test that starts one must call `close`. */
export async function launchChromium(): Promise<Browser> {
  const executablePath = findExecutable(...CHROMIUM);
  const browser = await chromium.launch({ executablePath, args: [...FLAGS], timeout: PATIENCE });
  const { newPage } = browser;
  browser.newPage = async (options) => {
    const page = await newPage.call(browser, options);
    page.setDefaultTimeout(PATIENCE);
    return page;
  };
  return browser;
}
