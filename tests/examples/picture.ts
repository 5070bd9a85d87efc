/**
 * Pictures of examples for the documentation, taken by tests if `WATERSPOUT_PICTURES` names the
 * folder for them:
 *
 * ```sh
 * WATERSPOUT_PICTURES=examples/images deno task test --runtime node tests/examples
 * ```
 *
 * @module
 */
import { resolve } from "node:path";
import process from "node:process";
import type { Page } from "playwright-core";

/** Where to put a picture; `""` if none is to be taken. */
export function picturePath(name: string): string {
  const folder = process.env["WATERSPOUT_PICTURES"];
  return folder ? resolve(folder, `${name}.png`) : "";
}

/** Takes a picture of a page, if one is to be taken. */
export async function takePicture(page: Page, name: string): Promise<void> {
  const path = picturePath(name);
  if (path !== "") await page.screenshot({ path });
}
