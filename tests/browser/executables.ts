/**
 * Where Chromium is. Imports nothing from npm: the list of needs is read before anything is installed.
 *
 * @module
 */

/** The names of its executable. The first is without windows, and takes half the CPU time. */
export const CHROMIUM: readonly string[] = ["chromium-headless-shell", "chromium"];
